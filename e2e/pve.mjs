// A stand-in for a Proxmox VE, to try endpoints and sync on, and for tests: node pve.mjs SITUATION [PORT]
//
// Serves a folder of tests/data/proxmox on 127.0.0.1 (port 8006 unless said otherwise, 0 for a free one) over TLS with a
// certificate made at the start, and prints its address, its fingerprint and its credentials. Beside the API:
// GET /hits tells how often each path was asked; POST /serve/SITUATION serves another situation from then on.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOKEN = 'sync@pve!full=11111111-2222-3333-4444-555555555555';
const SITUATIONS = join(dirname(fileURLToPath(import.meta.url)), '../tests/data/proxmox');

// The certificate, in DER by hand: neither Node nor Python makes one, and openssl is not everywhere.
const der = (tag, ...parts) => {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const size = body.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts) => der(0x30, ...parts);
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'));
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));

function certificate() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const key = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const name = sequence(der(0x31, sequence(oid('550403'), der(0x0c, 'pve.example.com'))));
  const time = (when) => der(0x17, `${when.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`);
  const day = 86_400_000;
  const validity = sequence(time(new Date(Date.now() - day)), time(new Date(Date.now() + 365 * day)));
  const address = sequence(der(0x87, [127, 0, 0, 1]), der(0x82, 'localhost'));
  const extensions = der(0xa3, sequence(sequence(oid('551d11'), der(0x04, address))));
  const serial = der(0x02, [1], randomBytes(8));
  const version = der(0xa0, der(0x02, [2]));
  const body = sequence(version, serial, ECDSA_SHA256, name, validity, name, key, extensions);
  const signature = der(0x03, [0], sign('sha256', body, privateKey));
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: sequence(body, ECDSA_SHA256, signature) };
}

const pem = (bytes) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').match(/.{1,64}/g).join('\n')}\n-----END CERTIFICATE-----\n`;

const NODES = '/api2/json/nodes';
const STATUS = '/api2/json/cluster/status';
let answers;
const hits = {};

function load(situation) {
  const folder = join(SITUATIONS, situation.replace(/[^\w-]/g, ''));
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const body = (file) => (file === null ? '' : readFileSync(join(folder, file)));
  answers = new Map(manifest.map((answer) => [answer.path, { ...answer, body: body(answer.body_file) }]));
  // The node that answers says that it serves the certificate that it does serve.
  const data = (path) => JSON.parse(answers.get(path).body).data;
  const local = data(STATUS)?.find((item) => item.local === 1)?.name;
  const nodes = data(NODES).map((node) => (node.node === local ? { ...node, ssl_fingerprint: fingerprint } : node));
  answers.get(NODES).body = JSON.stringify({ data: nodes });
}

function write(response, status, reason, body) {
  const headers = { 'Content-Length': Buffer.byteLength(body), 'Cache-Control': 'max-age=0', Pragma: 'no-cache' };
  if (body.length > 0) headers['Content-Type'] = 'application/json;charset=UTF-8';
  if (status >= 400) headers.Connection = 'close';
  response.writeHead(status, reason, headers);
  response.end(body);
}

function answer(request, response) {
  const path = request.url;
  if (request.method === 'GET' && path === '/hits') return write(response, 200, 'OK', JSON.stringify(hits));
  if (request.method === 'POST' && path.startsWith('/serve/')) {
    load(path.slice('/serve/'.length));
    return write(response, 200, 'OK', '{}');
  }
  hits[path] = (hits[path] ?? 0) + 1;
  const token = (request.headers.authorization ?? '').replace(/^PVEAPIToken=/, '');
  if (decodeURIComponent(token) !== TOKEN) return write(response, 401, token ? 'Authentication failed!' : 'No ticket', '');
  const known = request.method === 'GET' ? answers.get(path) : undefined;
  if (known) return write(response, known.status, known.reason, known.body);
  const reason = `Method '${request.method} ${path.replace('/api2/json', '')}' not implemented`;
  write(response, 501, reason, JSON.stringify({ data: null, message: reason }));
}

const [situation = 'pve8-cluster', port = '8006'] = process.argv.slice(2);
const { key, cert } = certificate();
const fingerprint = createHash('sha256').update(cert).digest('hex').toUpperCase().match(/../g).join(':');
load(situation);
const server = createServer({ key, cert: pem(cert) }, answer);
server.keepAliveTimeout = 5_000;
server.listen(Number(port), '127.0.0.1', () => {
  const [user, secret] = TOKEN.split('=');
  console.log(JSON.stringify({ host: '127.0.0.1', port: server.address().port, fingerprint, token: user, secret }));
});
process.on('SIGTERM', () => process.exit(0));
