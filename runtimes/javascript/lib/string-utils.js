// string-utils: what is often done to text.
__define('string-utils', (module, exports, require) => {
'use strict';

const characters = (text) => Array.from(`${text}`);

// words splits a text where words end, camelCase among them.
function words(text) {
  return `${text}`.match(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}\p{Lm}\p{M}]+|\p{Lu}|\p{N}+/gu) ?? [];
}

// wordCount counts what stands between white space.
function wordCount(text) {
  return (`${text}`.match(/\S+/g) ?? []).length;
}

function capitalize(text) {
  const [first = '', ...rest] = characters(text);
  return first.toUpperCase() + rest.join('');
}

const lower = (word) => word.toLowerCase();

function camelCase(text) {
  return words(text).map((word, i) => (i === 0 ? lower(word) : capitalize(lower(word)))).join('');
}

function snakeCase(text) {
  return words(text).map(lower).join('_');
}

function kebabCase(text) {
  return words(text).map(lower).join('-');
}

// slugify makes a part of an address: letters without accents, digits and hyphens.
function slugify(text, { separator = '-' } = {}) {
  return `${text}`.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 'ss')
    .split(/[^\p{L}\p{N}]+/u).filter(Boolean).join(separator);
}

// truncate shortens a text to a length, the sign at its end included.
function truncate(text, length = 80, end = '…') {
  const all = characters(text);
  if (all.length <= length) return all.join('');
  return all.slice(0, Math.max(0, length - characters(end).length)).join('').trimEnd() + end;
}

// pad fills a text up to a length: at its "start", its "end" or, for "both", around it.
function pad(text, length, fill = ' ', side = 'end') {
  text = `${text}`;
  const missing = Math.max(0, length - characters(text).length);
  if (side === 'start') return text.padStart(text.length + missing, fill);
  if (side === 'end') return text.padEnd(text.length + missing, fill);
  if (side !== 'both') throw new TypeError(`string-utils: pad at "start", "end" or "both", and not at ${JSON.stringify(side)}`);
  return text.padStart(text.length + Math.floor(missing / 2), fill).padEnd(text.length + missing, fill);
}

// clean leaves one space where there was white space, and none around the text.
function clean(text) {
  return `${text}`.trim().replace(/\s+/g, ' ');
}

// count says how often a part is in a text, without overlaps.
function count(text, part) {
  if (part === '') throw new TypeError('string-utils: an empty part is everywhere');
  return `${text}`.split(`${part}`).length - 1;
}

function reverse(text) {
  return characters(text).reverse().join('');
}

// isPalindrome looks at letters and digits alone, whatever their case.
function isPalindrome(text) {
  const letters = (`${text}`.toLowerCase().match(/[\p{L}\p{N}]/gu) ?? []);
  return letters.every((letter, i) => letter === letters[letters.length - 1 - i]);
}

module.exports = {
  slugify, truncate, capitalize, camelCase, snakeCase, kebabCase, pad, clean, count, reverse, isPalindrome, words, wordCount,
};
});
