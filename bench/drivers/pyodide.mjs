// Runs programs through one Pyodide, each with globals of its own.

import { createInterface } from "node:readline";
import { loadPyodide } from "pyodide";

const reply = (fields) => process.stdout.write(JSON.stringify(fields) + "\n");

const python = await loadPyodide();
let output = [];
python.setStdout({
  write(bytes) {
    output.push(Buffer.from(bytes));
    return bytes.length;
  },
});

function run(code) {
  output = [];
  const start = performance.now();
  const globals = python.globals.get("dict")();
  globals.set("__name__", "__main__");
  python.runPython(code, { globals });
  globals.destroy();
  const ms = performance.now() - start;
  reply({ stdout: Buffer.concat(output).toString(), ms });
}

reply({ version: "CPython " + python.runPython("import platform; platform.python_version()") + ", node " + process.version });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    run(JSON.parse(line).code);
  } catch (error) {
    reply({ error: String(error).trim().split("\n").pop() });
  }
}
