/** Things, certificates and their policy in IoT Core, as the lake needs them. Each call may be repeated; nothing here decides when. */
import {
    AttachPolicyCommand,
    AttachThingPrincipalCommand,
    CreateCertificateFromCsrCommand,
    CreateThingCommand,
    DescribeCertificateCommand,
    DescribeEndpointCommand,
    DescribeThingCommand,
    IoTClient,
    ListAttachedPoliciesCommand,
    ListThingPrincipalsCommand,
    paginateListCertificates,
    paginateListThings,
    UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DeleteConnectionCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { awsCodeOf, translated } from '#lake/aws/aws-errors';
import { type ClientOptions, clientConfig, endpointOf } from '#lake/aws/client-config';
import { StorageError } from '#lake/errors';

/** Name of the attribute of a thing that says which lake's it is. */
const LAKE_ATTRIBUTE = 'lake';

/** Things and certificates that AWS lists at once: https://docs.aws.amazon.com/iot/latest/apireference/API_ListThings.html */
const PAGE = 250;

/** A certificate as IoT Core has it. Its id is the SHA-256 fingerprint, which is how the lake knows it too. */
export interface IotCertificate {
    id: string;
    arn: string;
    /** PEM. */
    pem: string;
    /** `ACTIVE`, `INACTIVE`, `REVOKED`, and some that only AWS sets. */
    status: string;
}

export interface IotThing {
    /** Bucket of the lake that made it; undefined where no lake did. */
    lake: string | undefined;
}

export interface IotRegistry {
    /** Host that devices dial; MQTT over TLS is at port 8883. */
    endpoint(): Promise<string>;
    thing(name: string): Promise<IotThing | undefined>;
    /** Makes the thing, as this lake's. @returns false where one is there that is not as this lake makes it */
    makeThing(name: string): Promise<boolean>;
    /** Names of this lake's things. */
    things(): Promise<string[]>;
    /** Fingerprints of the certificates that are attached to the thing; undefined where there is no such thing. */
    certificatesOf(thing: string): Promise<string[] | undefined>;
    /** A new certificate, inactive. A second call makes another one. */
    sign(request: string): Promise<Omit<IotCertificate, 'status'>>;
    certificate(id: string): Promise<IotCertificate | undefined>;
    /** Each certificate of the account with its status, the newest first. */
    certificates(): AsyncIterable<{ id: string; status: string; createdAt: Date | undefined }>;
    /** Gives the certificate the policy of devices. */
    attachPolicy(arn: string): Promise<void>;
    hasPolicy(arn: string): Promise<boolean>;
    attachThing(name: string, arn: string): Promise<void>;
    /** Sets the status. @returns false where there is no such certificate */
    setStatus(id: string, status: 'ACTIVE' | 'REVOKED'): Promise<boolean>;
    /** Ends the connection of a client, without its will. @returns false where none is connected */
    disconnect(client: string, options: { isSessionKept: boolean }): Promise<boolean>;
}

/** Clients of IoT Core's two sides; credentials come from where the SDK looks for them. */
export function createIotClients(options: ClientOptions): { control: IoTClient; dataFor: (host: string) => IoTDataPlaneClient } {
    return {
        control: new IoTClient(clientConfig(options, 'IOT')),
        dataFor: (host) =>
            new IoTDataPlaneClient({
                ...clientConfig(options, 'IOT_DATA_PLANE'),
                // The account's own endpoint: that of the region is for trying things out.
                endpoint: endpointOf(options.environment, 'IOT_DATA_PLANE') ?? `https://${host}`,
            }),
    };
}

/** The registry of the clients' account and region; `policy` is the name of the policy of devices, `lake` the bucket. */
export function openIotRegistry({
    clients: { control, dataFor },
    policy,
    lake,
}: {
    clients: ReturnType<typeof createIotClients>;
    policy: string;
    lake: string;
}): IotRegistry {
    let host: Promise<string> | undefined;

    async function endpoint(): Promise<string> {
        host ??= translated(
            async () => {
                const { endpointAddress } = await control.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
                if (endpointAddress === undefined) {
                    throw new StorageError(
                        'IoT Core names no endpoint for devices (aws iot describe-endpoint --endpoint-type iot:Data-ATS)',
                    );
                }
                return endpointAddress.replace(/:\d+$/, '');
            },
            { doing: 'ask IoT Core where devices connect' },
        );
        return host;
    }

    return {
        endpoint,

        thing: (name) =>
            unlessMissing(`look at thing ${name} in IoT Core`, async () => {
                const { attributes } = await control.send(new DescribeThingCommand({ thingName: name }));
                return { lake: attributes?.[LAKE_ATTRIBUTE] };
            }),

        makeThing: (name) =>
            translated(
                async () => {
                    try {
                        const attributePayload = { attributes: { [LAKE_ATTRIBUTE]: lake } };
                        await control.send(new CreateThingCommand({ thingName: name, attributePayload }));
                        return true;
                    } catch (error) {
                        // One that is as it is asked for is no error: it was made by a call whose answer was lost, for example.
                        if (awsCodeOf(error) === 'ResourceAlreadyExistsException') {
                            return false;
                        }
                        throw error;
                    }
                },
                { doing: `make thing ${name} in IoT Core` },
            ),

        things: () =>
            translated(
                async () => {
                    const names: string[] = [];
                    const asked = { attributeName: LAKE_ATTRIBUTE, attributeValue: lake };
                    for await (const { things } of paginateListThings({ client: control, pageSize: PAGE }, asked)) {
                        names.push(...(things ?? []).flatMap(({ thingName }) => thingName ?? []));
                    }
                    return names;
                },
                { doing: 'list the things of IoT Core' },
            ),

        certificatesOf: (thing) =>
            unlessMissing(`list the certificates of thing ${thing} in IoT Core`, async () => {
                const ids: string[] = [];
                let nextToken: string | undefined;
                do {
                    const page = await control.send(new ListThingPrincipalsCommand({ thingName: thing, nextToken }));
                    ids.push(...(page.principals ?? []).flatMap((arn) => /:cert\/([0-9a-f]{64})$/.exec(arn)?.[1] ?? []));
                    nextToken = page.nextToken;
                } while (nextToken !== undefined);
                return ids;
            }),

        sign: (request) =>
            translated(
                async () => {
                    const signed = await control.send(
                        new CreateCertificateFromCsrCommand({ certificateSigningRequest: request, setAsActive: false }),
                    );
                    const { certificateId: id, certificateArn: arn, certificatePem: pem } = signed;
                    if (id === undefined || arn === undefined || pem === undefined) {
                        throw new StorageError('IoT Core signed a certificate and did not send it: run the command again');
                    }
                    return { id, arn, pem };
                },
                { doing: 'have a certificate signed by IoT Core' },
            ),

        certificate: (id) =>
            unlessMissing(`look at a certificate in IoT Core`, async () => {
                const { certificateDescription: found } = await control.send(new DescribeCertificateCommand({ certificateId: id }));
                const { certificateArn: arn, certificatePem: pem, status } = found ?? {};
                if (arn === undefined || pem === undefined || status === undefined) {
                    throw new StorageError(`IoT Core says nothing of certificate ${id}: run the command again`);
                }
                return { id, arn, pem, status };
            }),

        async *certificates() {
            const pages = paginateListCertificates({ client: control, pageSize: PAGE }, { ascendingOrder: false });
            for (;;) {
                const { done, value } = await translated(async () => pages.next(), { doing: 'list the certificates of IoT Core' });
                if (done) {
                    return;
                }
                for (const { certificateId: id, status, creationDate: createdAt } of value.certificates ?? []) {
                    if (id !== undefined && status !== undefined) {
                        yield { id, status, createdAt };
                    }
                }
            }
        },

        attachPolicy: (arn) =>
            translated(
                async () => {
                    await control.send(new AttachPolicyCommand({ policyName: policy, target: arn }));
                },
                { doing: `give a certificate policy ${policy} in IoT Core` },
            ),

        hasPolicy: (arn) =>
            translated(
                async () => {
                    const { policies } = await control.send(new ListAttachedPoliciesCommand({ target: arn, pageSize: PAGE }));
                    return (policies ?? []).some(({ policyName }) => policyName === policy);
                },
                { doing: 'list the policies of a certificate in IoT Core' },
            ),

        attachThing: (name, arn) =>
            translated(
                async () => {
                    await control.send(new AttachThingPrincipalCommand({ thingName: name, principal: arn }));
                },
                { doing: `attach a certificate to thing ${name} in IoT Core` },
            ),

        setStatus: async (id, newStatus) => {
            const done = await unlessMissing('change the status of a certificate in IoT Core', async () => {
                await control.send(new UpdateCertificateCommand({ certificateId: id, newStatus }));
                return true;
            });
            return done ?? false;
        },

        disconnect: async (client, { isSessionKept }) => {
            const data = dataFor(await endpoint());
            const done = await unlessMissing(`end the connection of device ${client} at IoT Core`, async () => {
                await data.send(new DeleteConnectionCommand({ clientId: client, cleanSession: !isSessionKept, preventWillMessage: true }));
                return true;
            });
            return done ?? false;
        },
    };
}

/** What the call gives; undefined where AWS says that there is no such thing. */
function unlessMissing<T>(doing: string, work: () => Promise<T>): Promise<T | undefined> {
    return translated(
        async () => {
            try {
                return await work();
            } catch (error) {
                if (awsCodeOf(error) === 'ResourceNotFoundException') {
                    return undefined;
                }
                throw error;
            }
        },
        { doing },
    );
}
