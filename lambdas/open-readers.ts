/** Who asks the API, as a function finds it out. */
import { type Environment, endpointOf } from '#lake/aws/client-config';
import { type Callers, openCallers } from '#lake/cloud/api-callers';
import { openCredentialLookup } from '#lake/cloud/credential-lookup';
import type { ObjectStore } from '#lake/store/object-store';
import { readSetting } from './environment.ts';

/** Devices of the lake, and readers by READERS_ISSUER and READERS_AUDIENCE. @throws UsageError where one is not set */
export function openReaders(environment: Environment, { store }: { store: ObjectStore }): Callers {
    const issuer = readSetting(environment, 'READERS_ISSUER');
    return openCallers({
        credentials: openCredentialLookup({ store }),
        readers: { issuer, audience: readSetting(environment, 'READERS_AUDIENCE'), keysUrl: keysElsewhere(environment, issuer) },
    });
}

/** Address of the keys of a user pool, if Cognito is spoken to at an address of one's own. */
function keysElsewhere(environment: Environment, issuer: string): string | undefined {
    const endpoint = endpointOf(environment, 'COGNITO_IDENTITY_PROVIDER');
    const [, pool] = /^https:\/\/cognito-idp\.[^/]+\/([^/]+)$/.exec(issuer) ?? [];
    return endpoint === undefined || pool === undefined ? undefined : `${endpoint.replace(/\/$/, '')}/${pool}/.well-known/jwks.json`;
}
