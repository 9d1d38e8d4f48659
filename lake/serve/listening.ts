/** What to do where a port cannot be had. */
import { StorageError, UsageError } from '#lake/errors';

/** The error of a server that could not listen, as one for people; `flag` is the option that chooses the port. */
export function whyNotListening(
    error: NodeJS.ErrnoException,
    { host, port, flag }: { host: string; port: number; flag: '--mqtt-port' | '--http-port' | '--port' },
): Error {
    const why: Record<string, string> = {
        EADDRINUSE: `Port ${port} of ${host} is taken by another program: choose another one with ${flag}, 0 for any free one`,
        EACCES: `Port ${port} is not for this user: choose one from 1024 on with ${flag}`,
        EADDRNOTAVAIL: `${host} is no address of this machine: choose one with --host, 127.0.0.1 for this machine alone`,
        ENOTFOUND: `${host} is no address of this machine: choose one with --host, 127.0.0.1 for this machine alone`,
    };
    const known = why[error.code ?? ''];
    return known === undefined
        ? new StorageError(`Cannot listen on ${host}, port ${port}: ${error.message}`, { cause: error })
        : new UsageError(known, { cause: error });
}
