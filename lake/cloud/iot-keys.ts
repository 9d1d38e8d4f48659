/** Keys of devices for IoT Core, the requests that AWS signs, and the authorities by which devices know AWS. A key is made here and goes nowhere. */
import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { UsageError } from '#lake/errors';
import { x509 } from '#lake/x509';

/** IoT Core takes EC P-256, which lake/serve/certificates.ts has too: https://docs.aws.amazon.com/iot/latest/developerguide/x509-client-certs.html */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Longer common names are not allowed in a certificate (RFC 5280); who a device is says the fingerprint. */
const MAX_NAME_CHARACTERS = 64;

/** A new private key: PEM, PKCS #8. */
export async function makeKey(): Promise<string> {
    const { privateKey } = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')}\n`;
}

/** The request for a certificate of the key, in PEM: what AWS is given. @throws UsageError for what is no EC P-256 key */
export async function requestFor(device: string, key: string): Promise<string> {
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
        name: [{ CN: [device.slice(0, MAX_NAME_CHARACTERS)] }],
        keys: await keysOf(key),
        signingAlgorithm: ALGORITHM,
    });
    return `${request.toString('pem')}\n`;
}

/** True if the certificate is of that key. @throws UsageError for a key that is damaged */
export function isOfKey(certificate: string, key: string): boolean {
    return new X509Certificate(certificate).checkPrivateKey(privateKeyOf(key));
}

async function keysOf(key: string): Promise<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }> {
    const privateKey = privateKeyOf(key);
    const { asymmetricKeyType, asymmetricKeyDetails } = privateKey;
    if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
        throw new UsageError('The key in device.key is none that this program makes (EC P-256): move it away, and another one is made');
    }
    const publicKey = createPublicKey(privateKey);
    return {
        privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), ALGORITHM, true, [
            'sign',
        ]),
        publicKey: await webcrypto.subtle.importKey('spki', publicKey.export({ type: 'spki', format: 'der' }), ALGORITHM, true, ['verify']),
    };
}

function privateKeyOf(key: string) {
    try {
        return createPrivateKey(key);
    } catch (error) {
        throw new UsageError('device.key holds no private key: move it away, and another one is made', { cause: error });
    }
}

/**
 * The authorities that sign what AWS's endpoints show, as PEM: Amazon's roots and the one of Starfield that signed them, out of those that Node trusts. The same
 * stand at https://www.amazontrust.com/repository/; AWS says to trust all of them: https://docs.aws.amazon.com/iot/latest/developerguide/server-authentication.html
 */
export function amazonRoots(): string {
    const roots = rootCertificates.filter((pem) => {
        const { subject } = new X509Certificate(pem);
        return /^O=Amazon$/m.test(subject) || /^CN=Starfield Services Root Certificate Authority - G2$/m.test(subject);
    });
    return `${roots.join('\n')}\n`;
}
