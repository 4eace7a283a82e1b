// Start a function of this folder and let it answer once: first.js FUNCTION SCHEMA SHAPE EVENT.
'use strict';
const fs = require('fs');
const [name, schemaFile, shape, eventFile] = process.argv.slice(2);
const handler = require('./' + name + '.js').make(JSON.parse(fs.readFileSync(schemaFile, 'utf8')), shape);
handler(JSON.parse(fs.readFileSync(eventFile, 'utf8')));
