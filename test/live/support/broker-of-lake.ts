/** A broker over a lake in a directory, in a process of its own: `node broker-of-lake.ts <directory> <port> <HTTP port>` prints its ports, then its log. It ends with its input. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { argv, exit, stdin, stdout } from 'node:process';
import { openCredentialIndex } from '#lake/live/credential-index';
import { Intake } from '#lake/live/intake';
import { openKnownDevices } from '#lake/live/known-devices';
import { openBroker } from '#lake/serve/broker';
import { authorityFolder, openAuthority } from '#lake/serve/certificates';
import { openDirectoryStore } from '#lake/store/directory';
import { openFileInbox } from './file-inbox.ts';

const [, , directory = '', port = '0', httpPort = '0'] = argv;
const store = openDirectoryStore(directory);
const now = Date.now;
const say = (line: string): void => void stdout.write(`${line}\n`);
const authority = await openAuthority(authorityFolder(directory), { now: new Date() });
const server = await authority.server({ names: ['localhost', '127.0.0.1', '::1'], now: new Date() });
const credentials = await openCredentialIndex({ store, now, onTrouble: say });
const devices = await openKnownDevices({ store, now, onTrouble: say });
const inbox = openFileInbox(join(directory, '.flowlake/live/inbox.jsonl'));
const intake = new Intake({ inbox, devices, now, say });
const broker = await openBroker({
    ...{ credentials, devices, say, now, host: '127.0.0.1', port: Number(port) },
    intake,
    tls: { authority: authority.certificate, certificate: server.certificate, key: server.key },
});
// As much of an intake by HTTP as shows what curl does with its answers.
const http = createServer(async (request, response) => {
    const identity = credentials.authenticateToken((request.headers.authorization ?? '').replace('Bearer ', ''));
    const pieces: Buffer[] = [];
    for await (const piece of request) {
        pieces.push(piece);
    }
    if (identity.ok) {
        await intake.take({ way: 'http', device: identity.device, payload: Buffer.concat(pieces) });
    }
    response
        .writeHead(identity.ok ? 200 : 401)
        .end(identity.ok ? '{"accepted":1,"rejected":[]}' : JSON.stringify({ detail: identity.why }));
});
await new Promise<void>((resolve) => {
    http.listen(Number(httpPort), '127.0.0.1', resolve);
});
const bound = http.address();
say(`${broker.port} ${typeof bound === 'object' ? bound?.port : 0}`);
stdin.on('end', async () => {
    await broker.close();
    inbox.close();
    exit(0);
});
stdin.resume();
