// Gets a token with MSAL for Node and with @azure/identity, by certificate, and counts the users with each.
// Reads what to do as JSON on standard input and prints what came back as JSON.

const fs = require("node:fs");
const { ConfidentialClientApplication } = require("@azure/msal-node");
const { ClientCertificateCredential } = require("@azure/identity");

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const scope = "https://graph.microsoft.com/.default";

async function withMsal() {
  const app = new ConfidentialClientApplication({
    auth: {
      clientId: asked.client_id,
      authority: asked.authority,
      knownAuthorities: [new URL(asked.authority).host],
      clientCertificate: { thumbprintSha256: asked.thumbprint, privateKey: fs.readFileSync(asked.pem, "utf8") },
    },
  });
  const result = await app.acquireTokenByClientCredential({ scopes: [scope], correlationId: asked.correlation_id });
  const again = await app.acquireTokenByClientCredential({ scopes: [scope] });
  return { token: result.accessToken, fromCache: again.fromCache };
}

async function withIdentity() {
  const credential = new ClientCertificateCredential(
    asked.tenant_id,
    asked.client_id,
    { certificatePath: asked.pem },
    { authorityHost: new URL(asked.authority).origin, disableInstanceDiscovery: true },
  );
  return { token: (await credential.getToken(scope)).token };
}

async function count(token) {
  const headers = { Authorization: `Bearer ${token}`, ConsistencyLevel: "eventual" };
  const answer = await fetch(`${asked.graph_endpoint}/users/$count`, { headers });
  return Number(await answer.text());
}

async function main() {
  const msal = await withMsal();
  const identity = await withIdentity();
  const users = { msal: await count(msal.token), identity: await count(identity.token) };
  console.log(JSON.stringify({ users, fromCache: msal.fromCache }));
}

main();
