// What the reference solution of 2017 did, written anew in our words: a validator of the npm package jsonschema made for
// each record, and a line glued of strings. Nothing is quoted, and one record that cannot be read fails them all.
'use strict';
const { Validator } = require('jsonschema');

exports.make = function make(schema) {
  return function handler(event) {
    const answers = event.records.map((record) => {
      const change = JSON.parse(Buffer.from(record.data, 'base64').toString('utf8'));
      const item = change.image || change.keys;
      const visit = item.payload ? JSON.parse(item.payload.S) : {};
      if (!new Validator().validate(visit, schema).valid) {
        return { recordId: record.recordId, result: 'ProcessingFailed', data: record.data };
      }
      const line = Date.now() + ',' + change.keys.page_id.S + ',' + visit.Hits + ',' + visit.session.start_timestamp + ',' +
        visit.session.stop_timestamp + ',' + visit.device.location.country + '\n';
      return { recordId: record.recordId, result: 'Ok', data: Buffer.from(line, 'utf8').toString('base64') };
    });
    return { records: answers };
  };
};
