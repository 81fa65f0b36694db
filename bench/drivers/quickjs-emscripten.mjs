// Runs programs through quickjs-emscripten, each in a runtime and a context of its own.

import { createInterface } from "node:readline";
import { getQuickJS, shouldInterruptAfterDeadline } from "quickjs-emscripten";

const reply = (fields) => process.stdout.write(JSON.stringify(fields) + "\n");

const quickjs = await getQuickJS();

function run(code) {
  let output = "";
  const start = performance.now();
  const runtime = quickjs.newRuntime();
  runtime.setMemoryLimit(128 << 20);
  runtime.setInterruptHandler(shouldInterruptAfterDeadline(Date.now() + 60_000));
  const context = runtime.newContext();
  const log = context.newFunction("log", (...args) => {
    output += args.map((arg) => context.getString(arg)).join(" ") + "\n";
  });
  const console = context.newObject();
  context.setProp(console, "log", log);
  context.setProp(context.global, "console", console);
  console.dispose();
  log.dispose();
  context.unwrapResult(context.evalCode(code)).dispose();
  context.dispose();
  runtime.dispose();
  const ms = performance.now() - start;
  reply({ stdout: output, ms });
}

reply({ version: "node " + process.version });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    run(JSON.parse(line).code);
  } catch (error) {
    reply({ error: String(error).trim().split("\n").pop() });
  }
}
