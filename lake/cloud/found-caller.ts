/** Whom the authorizer found, as API Gateway hands it on to the function behind: words only, for it keeps nothing else. */
import type { Caller } from '#lake/live/api/services';

export type FoundCaller = { is: 'device'; device: string } | { is: 'reader'; name: string } | { is: 'nobody' };

export function toContext(caller: Caller | undefined): FoundCaller {
    return caller ?? { is: 'nobody' };
}

/** The caller; undefined for nobody. @throws TypeError for what no authorizer of ours said: a request that came past it is nobody's to take */
export function callerIn(context: unknown): Caller | undefined {
    const { is, device, name }: Record<string, unknown> = typeof context === 'object' && context !== null ? { ...context } : {};
    if (is === 'device' && typeof device === 'string' && device !== '') {
        return { is, device };
    }
    if (is === 'reader' && typeof name === 'string') {
        return { is, name };
    }
    if (is === 'nobody') {
        return undefined;
    }
    throw new TypeError('the request comes without the authorizer’s word: is the route’s authorizer set? Deploy again (npx cdk deploy)');
}
