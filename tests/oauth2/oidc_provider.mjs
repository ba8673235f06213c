// The certified OpenID provider `oidc-provider` with authorization codes, PKCE, rotation and revocation.
//
//   node oidc_provider.mjs ENTRY REDIRECT_URI     ENTRY: the package's main file
//
// Standard output says where it listens; it ends when standard input does.

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [entry, redirectUri] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(entry));
console.info = console.warn = () => {};

const client = (id, more) => ({
  client_id: id,
  client_secret: "CANARY-client-secret",
  redirect_uris: [redirectUri],
  response_types: ["code"],
  grant_types: ["authorization_code", "refresh_token", "client_credentials"],
  ...more,
});

const configuration = {
  clients: [
    client("client_secret_basic"),
    client("client_secret_post", { token_endpoint_auth_method: "client_secret_post" }),
    client("none", {
      client_secret: undefined,
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
    }),
  ],
  findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  scopes: ["openid", "offline_access", "repo", "/read-public"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 120, ClientCredentials: 120 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
  },
};

const server = createServer((request, response) => handle(request, response));
let handle;
server.listen(0, "127.0.0.1", () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  handle = new Provider(url, configuration).callback();
  process.stdout.write(`${url}\n`);
});
process.stdin.on("end", () => process.exit(0)).resume();
