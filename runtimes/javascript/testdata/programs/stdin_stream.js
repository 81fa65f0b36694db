// stdin: "{\"a\":1}\n{\"a\":2}\n"
(async () => { let data = ''; for await (const chunk of process.stdin) data += chunk; console.log(data.trim().split('\n').map(JSON.parse)); })(); process.on('exit', () => console.log('bye'));
