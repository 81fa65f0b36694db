// What is wrong with a JSON text, in V8's words.
__define('internal/json', (module, exports, require) => {
'use strict';
const p = require('internal/primordials');

// explain rewords an error of JSON.parse about text.
function explain(error, text) {
  const found = fault(text);
  if (found === undefined) return;
  const [at, reason] = found;
  let better;
  if (text === 'undefined' || text === 'NaN' || text === 'Infinity' || text === '[object Object]') better = `"${text}" is not valid JSON`;
  else if (reason !== undefined) better = `${reason} JSON at position ${at}${lineOf(text, at)}`;
  else if (at >= text.length) better = 'Unexpected end of JSON input';
  else if (text[at] === '"') better = `Unexpected string in JSON at position ${at}${lineOf(text, at)}`;
  else if (/[-0-9]/.test(text[at])) better = `Unexpected number in JSON at position ${at}${lineOf(text, at)}`;
  else {
    const around = text.length <= 40 ? `"${text}"`
      : `${at < 10 ? '' : '...'}"${p.slice(text, p.max(0, at - 10), at + 10)}"${at + 10 >= text.length ? '' : '...'}`;
    better = `Unexpected token '${String.fromCodePoint(p.codePointAt(text, at))}', ${around} is not valid JSON`;
  }
  p.define(error, 'message', { value: better, writable: true, enumerable: false, configurable: true });
}

function lineOf(text, at) {
  const before = p.split(p.slice(text, 0, at), '\n');
  return ` (line ${before.length} column ${before[before.length - 1].length + 1})`;
}

// fault returns where a text stops being JSON and, for some mistakes, what is
// said about them.
function fault(text) {
  let i = 0;
  const space = () => {
    while (i < text.length && /[ \t\n\r]/.test(text[i])) i++;
  };
  const fail = (reason) => {
    throw [i, reason];
  };
  const word = (w) => {
    for (const c of w) {
      if (text[i] !== c) fail();
      i++;
    }
  };
  const string = () => {
    i++;
    for (; text[i] !== '"'; i++) {
      if (i >= text.length) fail('Unterminated string in');
      if (text[i] < ' ') fail('Bad control character in string literal in');
      if (text[i] !== '\\') continue;
      i++;
      if (i >= text.length) fail('Unterminated string in');
      if (text[i] === 'u') {
        if (!/^[0-9a-f]{4}/i.test(p.slice(text, i + 1, i + 5))) fail('Bad Unicode escape in');
      } else if (!/["\\/bfnrt]/.test(text[i])) fail('Bad escaped character in');
    }
    i++;
  };
  const digits = (reason) => {
    if (!/[0-9]/.test(text[i] ?? '')) fail(reason);
    while (/[0-9]/.test(text[i] ?? '')) i++;
  };
  const number = () => {
    if (text[i] === '-') {
      i++;
      if (!/[0-9]/.test(text[i] ?? '')) fail('No number after minus sign in');
    }
    if (text[i] === '0') {
      i++;
      if (/[0-9]/.test(text[i] ?? '')) fail();
    } else {
      digits();
    }
    if (text[i] === '.') {
      i++;
      digits('Unterminated fractional number in');
    }
    if (/[eE]/.test(text[i] ?? '')) {
      i++;
      if (/[+-]/.test(text[i] ?? '')) i++;
      digits('Exponent part is missing a number in');
    }
  };
  const value = () => {
    space();
    const c = text[i];
    if (c === '{') {
      i++;
      space();
      if (text[i] === '}') {
        i++;
        return;
      }
      for (let first = true; ; first = false) {
        space();
        if (text[i] !== '"') fail(first ? "Expected property name or '}' in" : 'Expected double-quoted property name in');
        string();
        space();
        if (text[i] !== ':') fail("Expected ':' after property name in");
        i++;
        value();
        space();
        if (text[i] === '}') break;
        if (text[i] !== ',') fail("Expected ',' or '}' after property value in");
        i++;
      }
      i++;
    } else if (c === '[') {
      i++;
      space();
      if (text[i] === ']') {
        i++;
        return;
      }
      for (;;) {
        value();
        space();
        if (text[i] === ']') break;
        if (text[i] !== ',') fail("Expected ',' or ']' after array element in");
        i++;
      }
      i++;
    } else if (c === '"') string();
    else if (c === 't') word('true');
    else if (c === 'f') word('false');
    else if (c === 'n') word('null');
    else if (c !== undefined && /[-0-9]/.test(c)) number();
    else fail();
  };
  try {
    value();
    space();
    if (i < text.length) return [i, 'Unexpected non-whitespace character after'];
  } catch (found) {
    if (p.isArray(found)) return found;
  }
  return undefined;
}

module.exports = { explain };
});
