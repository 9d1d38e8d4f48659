/** What a request of a Lambda asks of AWS, in two words: `PUT ledger`, `LIST summaries`, `SendMessageBatch`. */
import type { Seen } from './faulty-proxy.ts';

export function nameOfCall({ method, url, headers }: Seen): string {
    const target = headers['x-amz-target'];
    if (target !== undefined) {
        return String(target).replace('AmazonSQS.', '');
    }
    const [path = '', query = ''] = url.split('?');
    const prefix = new URLSearchParams(query).get('prefix');
    const key = prefix ?? path.split('/').slice(2).join('/');
    return `${prefix === null ? method : 'LIST'} ${key.split('/')[0]}`;
}
