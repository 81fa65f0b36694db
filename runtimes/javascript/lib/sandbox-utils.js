// sandbox-utils: files in one call. Paths are relative to the workspace.
__define('sandbox-utils', (module, exports, require) => {
'use strict';
const fs = require('fs');

// missing says whether an error means that a file is not there.
const missing = (error) => error.code === 'ENOENT' || error.code === 'ENOTDIR';

// readText returns a file's text.
function readText(path) {
  return fs.readFileSync(path, 'utf8');
}

// writeText writes text to a file, replacing what was there.
function writeText(path, text) {
  fs.writeFileSync(path, `${text}`);
}

// appendText adds text at the end of a file, made if it is not there.
function appendText(path, text) {
  fs.appendFileSync(path, `${text}`);
}

// readJson returns the value in a JSON file.
function readJson(path) {
  const text = readText(path);
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (e) {
    e.message = `${path}: ${e.message}`;
    throw e;
  }
}

// writeJson writes a value as JSON, indented by two spaces unless said otherwise.
function writeJson(path, value, indent = 2) {
  const text = JSON.stringify(value, null, indent);
  if (text === undefined) throw new TypeError(`writeJson(${JSON.stringify(path)}): a value of type ${typeof value} has no JSON form`);
  fs.writeFileSync(path, `${text}\n`);
}

// readLines returns a file's lines without their ends; a last line that is empty
// is none.
function readLines(path) {
  const lines = readText(path).split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

// writeLines writes each line and an end of line.
function writeLines(path, lines, end = '\n') {
  let text = '';
  for (const line of lines) text += `${line}${end}`;
  fs.writeFileSync(path, text);
}

// fileExists says whether there is a file or folder of that name.
function fileExists(path) {
  return fs.existsSync(path);
}

// fileSize returns a file's size in bytes, null if there is no such file.
function fileSize(path) {
  try {
    return fs.statSync(path).size;
  } catch (e) {
    if (missing(e)) return null;
    throw e;
  }
}

// listFiles returns the sorted names in a folder; with {recursive: true} those of
// the files in it and below.
function listFiles(path = '.', { recursive = false } = {}) {
  if (!recursive) return fs.readdirSync(path);
  return fs.readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => require('path').relative(path, `${entry.parentPath}/${entry.name}`)).sort();
}

// copyFile copies a file byte for byte.
function copyFile(from, to) {
  fs.copyFileSync(from, to);
}

// removeFile removes a file and says whether it was there.
function removeFile(path) {
  try {
    fs.unlinkSync(path);
    return true;
  } catch (e) {
    if (missing(e)) return false;
    throw e;
  }
}

module.exports = {
  readText, writeText, appendText, readJson, writeJson, readLines, writeLines, fileExists, fileSize, listFiles, copyFile, removeFile,
};
});
