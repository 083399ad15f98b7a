// A real OpenID Connect provider for the tests: oidc-provider, with accounts that all exist.
//
//   node provider.mjs '{"redirect": "http://localhost:8080/sign-in/bpd", "secret": "…"}'
//
// It says "listening ISSUER" once it does. Settings: port (0: any), redirect, secret, client, method
// (how the client proves itself), algorithm of ID tokens. Whoever types a name is that; the password
// is "right". What is typed as methods and class becomes the claims amr and acr.

import { createServer } from 'node:http';
import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { Provider } from 'oidc-provider';

const settings = {
  port: 0,
  client: 'psn',
  method: 'client_secret_basic',
  algorithm: 'RS256',
  ...JSON.parse(process.argv[2]),
};

const server = createServer();
await new Promise((ready) => server.listen(settings.port, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;

async function key(algorithm) {
  const made = algorithm.startsWith('ES')
    ? await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
    : await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  return { ...made.privateKey.export({ format: 'jwk' }), use: 'sig', kid, alg: algorithm };
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: settings.client,
      client_secret: settings.secret,
      redirect_uris: [settings.redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: settings.method,
      id_token_signed_response_alg: settings.algorithm,
    },
  ],
  jwks: { keys: [await key('RS256'), await key('ES256')] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  acrValues: ['gold'],
  claims: { openid: ['sub', 'badge', 'amr', 'acr', 'email'] },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, badge: `badge-${id}`, email: 'ana@bpd.example' }),
  }),
  // The agency has agreed to this client once and for all.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid');
    await grant.save();
    return grant;
  },
});

const page = (uid, wrong = false) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in at your agency</title>
<form method="post" action="/interaction/${uid}">
  <h1>Sign in at your agency</h1>
  ${wrong ? '<p role="alert">Wrong.</p>' : ''}
  <label>Account <input name="account" autofocus></label>
  <label>Password <input name="password" type="password"></label>
  <label>Methods <input name="amr"></label>
  <label>Class <input name="acr"></label>
  <button>Sign in</button>
  <button name="cancel" value="1" formnovalidate>Cancel</button>
</form></html>`;

async function formOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

async function interaction(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  const html = { 'content-type': 'text/html; charset=utf-8' };
  if (request.method === 'GET') {
    response.writeHead(200, html).end(page(uid));
    return;
  }
  const form = await formOf(request);
  if (!form.has('cancel') && form.get('password') !== 'right') {
    response.writeHead(200, html).end(page(uid, true));
    return;
  }
  const amr = (form.get('amr') ?? '').split(' ').filter(Boolean);
  const login = { accountId: form.get('account'), remember: true };
  if (amr.length) login.amr = amr;
  if (form.get('acr')) login.acr = form.get('acr');
  const result = form.has('cancel')
    ? { error: 'access_denied', error_description: 'Cancelled.' }
    : { login };
  await provider.interactionFinished(request, response, result);
}

const answer = provider.callback();
server.on('request', (request, response) => {
  const mine = request.url.startsWith('/interaction/');
  (mine ? interaction(request, response) : answer(request, response)).catch((problem) => {
    response.writeHead(500).end(String(problem));
  });
});
console.log(`listening ${issuer}`);
