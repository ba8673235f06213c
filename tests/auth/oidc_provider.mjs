// The certified OpenID provider `oidc-provider`, on a loopback port, for the tests in this folder.
//
//   node oidc_provider.mjs ENTRY [PORT]     ENTRY: the package's main file
//
// The first line on standard input is a JSON list of private JWKs; standard output says where it listens; it
// ends when standard input does. The headers of a token request say what the token holds: x-claims (JSON), x-alg,
// x-audience, x-ttl (seconds). Beside the provider's own paths:
//
//   POST /test/keys     use and publish other private JWKs
//   POST /test/answers  {path: {status, body, hang}}: what those paths answer instead, until the next call
//   GET  /test/seen     how often each path was asked for

import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [entry, port = "0"] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(entry));
console.info = console.warn = () => {};

const resource = (ctx) => ({
  scope: "",
  audience: ctx.get("x-audience") || "dovetail",
  accessTokenTTL: Number(ctx.get("x-ttl") || 600),
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: ctx.get("x-alg") || "RS256" } },
});

const configuration = (keys) => ({
  jwks: { keys },
  clients: [
    {
      client_id: "robot",
      client_secret: "robot-secret",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    },
  ],
  extraTokenClaims: (ctx) => JSON.parse(ctx.get("x-claims") || "{}"),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => "https://dovetail.test",
      getResourceServerInfo: resource,
    },
  },
});

let handle;
let answers = {};
const seen = {};
const server = createServer(answer);

function use(keys) {
  handle = new Provider(`http://127.0.0.1:${server.address().port}`, configuration(keys)).callback();
}

async function read(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces));
}

async function answer(request, response) {
  if (request.url === "/test/keys") use(await read(request));
  else if (request.url === "/test/answers") answers = await read(request);
  else if (request.url !== "/test/seen") return provide(request, response);
  response.end(JSON.stringify(seen));
}

function provide(request, response) {
  seen[request.url] = (seen[request.url] ?? 0) + 1;
  const instead = answers[request.url];
  if (!instead) handle(request, response);
  else if (!instead.hang) response.writeHead(instead.status ?? 200, { "content-type": "application/json" }).end(instead.body);
}

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  server.listen(Number(port), "127.0.0.1", () => {
    use(JSON.parse(line));
    process.stdout.write(`http://127.0.0.1:${server.address().port}\n`);
  });
});
lines.once("close", () => process.exit(0));
