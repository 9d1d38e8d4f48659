/**
 * A server with as much of IoT Core (REST and JSON, as the SDK speaks it) as the registry of devices asks for, over real HTTP: things, certificates that it signs,
 * policies, connections. It refuses what AWS refuses: another status for a revoked certificate, dots in names, what is not there.
 */
import { createHash, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export interface StoredCertificate {
    pem: string;
    status: string;
    things: Set<string>;
    policies: Set<string>;
    createdAt: number;
}

export interface IotServer {
    /** Address of the server, for AWS_ENDPOINT_URL_IOT and AWS_ENDPOINT_URL_IOT_DATA_PLANE. */
    endpoint: string;
    /** Attributes of each thing. */
    things: Map<string, Record<string, string>>;
    certificates: Map<string, StoredCertificate>;
    /** Clients that are connected; of each how often it comes back after it was disconnected. */
    connected: Map<string, number>;
    /** Method and path of each call. */
    calls: string[];
    /** Forgets everything but its policies. */
    reset(): void;
    stop(): Promise<void>;
}

class Refusal extends Error {
    readonly status: number;
    readonly type: string;

    constructor(status: number, type: string) {
        super(type);
        [this.status, this.type] = [status, type];
    }
}

const ACCOUNT = 'arn:aws:iot:us-east-1:111122223333';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Certificates that AWS signs end then. */
const NOT_AFTER = new Date('2049-12-31T23:59:59Z');

/** AWS has pages of 250: small ones show whether the next one is asked for. */
const PAGE = 3;

interface Asked {
    method: string;
    parts: string[];
    query: URLSearchParams;
    principal: string;
    body: Record<string, any>;
}

export async function startIotServer({ policies }: { policies: readonly string[] }): Promise<IotServer> {
    const [things, certificates, connected] = [
        new Map<string, Record<string, string>>(),
        new Map<string, StoredCertificate>(),
        new Map<string, number>(),
    ];
    const calls: string[] = [];
    const authority = await makeAuthority();
    let clock = Date.now() / 1_000;

    const certificateOf = (arnOrId: string): StoredCertificate =>
        certificates.get(arnOrId.split('/').at(-1) ?? '') ?? refuse(404, 'ResourceNotFoundException');
    const thingOf = (name: string): Record<string, string> => things.get(name) ?? refuse(404, 'ResourceNotFoundException');

    function createThing(name: string, { attributePayload }: Asked['body']): object {
        const attributes = attributePayload?.attributes ?? {};
        const known = things.get(name);
        if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(name)) {
            refuse(400, 'InvalidRequestException');
        }
        if (known && JSON.stringify(known) !== JSON.stringify(attributes)) {
            refuse(409, 'ResourceAlreadyExistsException');
        }
        things.set(name, attributes);
        return { thingName: name };
    }

    async function sign({ certificateSigningRequest }: Asked['body'], isActive: boolean): Promise<object> {
        const request = new x509.Pkcs10CertificateRequest(certificateSigningRequest);
        if (!(await request.verify())) {
            refuse(400, 'InvalidRequestException');
        }
        const certificate = await authority(request);
        const id = createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
        clock += 1;
        const pem = `${certificate.toString('pem')}\n`;
        certificates.set(id, { pem, status: isActive ? 'ACTIVE' : 'INACTIVE', things: new Set(), policies: new Set(), createdAt: clock });
        return { certificateId: id, certificateArn: `${ACCOUNT}:cert/${id}`, certificatePem: pem };
    }

    function setStatus(id: string, newStatus: string): object {
        const certificate = certificateOf(id);
        if (certificate.status === 'REVOKED' && newStatus !== 'REVOKED') {
            refuse(406, 'CertificateStateException');
        }
        certificate.status = newStatus;
        return {};
    }

    function disconnect(client: string): object {
        const times = connected.get(client) ?? refuse(404, 'ResourceNotFoundException');
        if (times === 0) {
            connected.delete(client);
        } else {
            connected.set(client, times - 1);
        }
        return {};
    }

    async function answer({ method, parts, query, principal, body }: Asked): Promise<object> {
        const [kind = '', name = '', what = ''] = parts;
        switch (`${method} ${kind}${name && '/x'}${what && `/${what}`}`) {
            case 'GET endpoint':
                return { endpointAddress: 'a1b2c3-ats.iot.us-east-1.amazonaws.com' };
            case 'POST things/x':
                return createThing(name, body);
            case 'GET things/x':
                return { thingName: name, attributes: thingOf(name) };
            case 'GET things': {
                const [attribute, value] = [query.get('attributeName') ?? '', query.get('attributeValue')];
                const found = [...things].filter(([, attributes]) => attributes[attribute] === value).map(([thingName]) => ({ thingName }));
                return pageOf(found, query.get('nextToken'), 'things', 'nextToken');
            }
            case 'GET things/x/principals': {
                thingOf(name);
                const found = [...certificates].filter((one) => one[1].things.has(name)).map(([id]) => `${ACCOUNT}:cert/${id}`);
                return pageOf(found, query.get('nextToken'), 'principals', 'nextToken');
            }
            case 'PUT things/x/principals':
                thingOf(name);
                certificateOf(principal).things.add(name);
                return {};
            case 'POST certificates':
                return sign(body, query.get('setAsActive') === 'true');
            case 'GET certificates/x': {
                const { pem, status } = certificateOf(name);
                const described = { certificateId: name, certificateArn: `${ACCOUNT}:cert/${name}`, certificatePem: pem, status };
                return { certificateDescription: described };
            }
            case 'PUT certificates/x':
                return setStatus(name, query.get('newStatus') ?? '');
            case 'GET certificates': {
                const oldestFirst = [...certificates].map(([certificateId, { status, createdAt: creationDate }]) => ({
                    certificateId,
                    status,
                    creationDate,
                }));
                const found = query.get('isAscendingOrder') === 'true' ? oldestFirst : oldestFirst.reverse();
                return pageOf(found, query.get('marker'), 'certificates', 'nextMarker');
            }
            case 'PUT target-policies/x':
                certificateOf(policies.includes(name) ? body.target : '').policies.add(name);
                return {};
            case 'POST attached-policies/x':
                return { policies: [...certificateOf(name).policies].map((policyName) => ({ policyName })) };
            case 'DELETE connections/x':
                return disconnect(name);
            default:
                return refuse(400, 'InvalidRequestException');
        }
    }

    const server = createServer(async (request, response) => {
        calls.push(`${request.method} ${request.url?.split('?')[0]}`);
        const send = (status: number, body: object, type?: string): void => {
            response
                .writeHead(status, { 'content-type': 'application/json', ...(type && { 'x-amzn-errortype': type }) })
                .end(JSON.stringify(body));
        };
        try {
            send(200, await answer(await askedOf(request)));
        } catch (error) {
            const { status, type } = error instanceof Refusal ? error : { status: 500, type: 'InternalFailureException' };
            send(status, { message: String(error) }, type);
        }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
        endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        ...{ things, certificates, connected, calls },
        reset() {
            for (const all of [things, certificates, connected]) {
                all.clear();
            }
            calls.length = 0;
        },
        async stop() {
            server.closeAllConnections();
            await new Promise<void>((resolve) => server.close(() => resolve()));
        },
    };
}

function refuse(status: number, type: string): never {
    throw new Refusal(status, type);
}

function pageOf(all: readonly unknown[], after: string | null, name: string, next: string): object {
    const from = Number(after ?? 0);
    return { [name]: all.slice(from, from + PAGE), ...(from + PAGE < all.length && { [next]: String(from + PAGE) }) };
}

async function askedOf(request: IncomingMessage): Promise<Asked> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const body = await text(request);
    return {
        method: request.method ?? '',
        parts: pathname.slice(1).split('/').map(decodeURIComponent),
        query: searchParams,
        principal: String(request.headers['x-amzn-principal'] ?? ''),
        body: body === '' ? {} : JSON.parse(body),
    };
}

/** Signs requests as AWS does: with the request's key, and an end of its own. */
async function makeAuthority(): Promise<(request: x509.Pkcs10CertificateRequest) => Promise<x509.X509Certificate>> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    return async (request) =>
        x509.X509CertificateGenerator.create({
            serialNumber: webcrypto.randomUUID().replaceAll('-', ''),
            subject: request.subject,
            issuer: 'CN=AWS IoT of a test',
            notBefore: new Date('2026-01-01T00:00:00Z'),
            notAfter: NOT_AFTER,
            signingAlgorithm: ALGORITHM,
            signingKey: keys.privateKey,
            publicKey: request.publicKey,
        });
}
