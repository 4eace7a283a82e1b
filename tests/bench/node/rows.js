// The row dialect as a user would write it in Node: a field is quoted where it has to be, and rightly.
'use strict';
const NEEDS_QUOTES = /[,"\\\n\r\t\0\x1a]/;
const ESCAPED = /["\\\n\r\t\0\x1a]/g;
const ESCAPES = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0', '\x1a': '\\Z' };

exports.field = function field(value) {
  if (NEEDS_QUOTES.test(value) || value === 'NULL') {
    return '"' + value.replace(ESCAPED, (found) => ESCAPES[found]) + '"';
  }
  return value;
};
