// Serve one function of this folder to the benchmark: serve.js FUNCTION SCHEMA SHAPE EVENT. One request a line on standard
// input ({"case": "dict" or "json" or "answer", "times": n}), one answer a line on file descriptor 3. CPU time is that of
// all threads, those of the garbage collector among them.
'use strict';
const fs = require('fs');
const readline = require('readline');

const [name, schemaFile, shape, eventFile] = process.argv.slice(2);
const handler = require('./' + name + '.js').make(JSON.parse(fs.readFileSync(schemaFile, 'utf8')), shape);
const text = fs.readFileSync(eventFile, 'utf8');
const event = JSON.parse(text);
let length = 0;

const works = {
  dict: () => { length = handler(event).records.length; },
  json: () => { length = JSON.stringify(handler(JSON.parse(text))).length; },
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  let answer;
  if (request.case === 'answer') {
    answer = handler(event);
  } else {
    const work = works[request.case];
    const cpu = process.cpuUsage();
    const wall = process.hrtime.bigint();
    for (let time = 0; time < request.times; time += 1) work();
    const took = Number(process.hrtime.bigint() - wall) / 1e9;
    const used = process.cpuUsage(cpu);
    answer = { wall: took, cpu: (used.user + used.system) / 1e6 };
  }
  fs.writeSync(3, JSON.stringify(answer) + '\n');
});
