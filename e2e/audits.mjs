// The audit suite of GraphQL over HTTP against a running server: node audits.mjs URL TOKEN
import { serverAudits } from 'graphql-http';

const EXPECTED = 61;
const [base, token] = process.argv.slice(2);
if (!base || !token) {
  console.error('usage: node audits.mjs URL TOKEN   (e.g. http://127.0.0.1:8000 nbt_…)');
  process.exit(2);
}

const audits = serverAudits({
  url: `${base.replace(/\/$/, '')}/graphql`,
  fetchFn: (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(url, { ...init, headers });
  },
});

let passed = 0;
let failed = 0;
for (const audit of audits) {
  const problem = await run(audit);
  if (problem === null) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`FAILED ${audit.id} ${audit.name}: ${problem}`);
  }
}
if (audits.length !== EXPECTED) console.log(`The suite has ${audits.length} audits, not ${EXPECTED}.`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && audits.length === EXPECTED ? 0 : 1;

async function run({ fn }) {
  try {
    const result = await fn();
    return result.status === 'ok' ? null : `${result.status}: ${result.reason}`;
  } catch (error) {
    return String(error?.cause ?? error);
  }
}
