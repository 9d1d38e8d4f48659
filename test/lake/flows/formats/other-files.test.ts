/** What a file is that is no file of flows: told in the first words of the answer, with what to do; and what may be one is left to its format. */
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { flows } from '#lake/flows/kind';
import { cut, inPieces } from '#test/support/bytes';
import { flowCsv } from '#test/support/flow-csv';
import { tarOf } from '#test/support/tar-of';

const CSV = flowCsv([{}, {}]);

/** The inspection, which must not depend on where pieces end. */
async function inspect(bytes: Uint8Array | string) {
    const [whole, small] = await Promise.all(
        [1 << 20, 3].map((pieceBytes) => flows.inspect(inPieces(cut(Buffer.from(bytes), [pieceBytes])))),
    );
    expect(small).toEqual(whole);
    return whole;
}

async function whyNot(bytes: Uint8Array | string): Promise<string> {
    const found = await inspect(bytes);
    return found?.is === 'unusable' ? found.why : `it is ${found?.is}`;
}

function zipWith(...names: string[]): Buffer {
    return Buffer.concat(
        names.map((name) => {
            const header = Buffer.alloc(30);
            header.write('PK\x03\x04', 0, 'latin1');
            header.writeUInt16LE(name.length, 26);
            return Buffer.concat([header, Buffer.from(`${name}xxxx`)]);
        }),
    );
}

function wide(text: string, bytesPerCharacter: 2 | 4, { isBigEnd = false } = {}): Buffer {
    const bytes = Buffer.alloc(text.length * bytesPerCharacter);
    for (let at = 0; at < text.length; at += 1) {
        bytes[at * bytesPerCharacter + (isBigEnd ? bytesPerCharacter - 1 : 0)] = text.charCodeAt(at);
    }
    return bytes;
}

function begin(hex: string): Buffer {
    return Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(600)]);
}

describe('an archive or a packed file', () => {
    test.each([
        ['a tar of the old form', tarOf(CSV), /^a tar archive: unpack it first \(tar xf NAME\), then upload the files$/],
        ['a tar in a gzip', gzipSync(tarOf(CSV)), /^a tar archive: /],
        ['a gzip in a gzip', gzipSync(gzipSync(CSV)), /^a gzip file inside of a compressed one: unpack it once \(gunzip NAME, /],
        ['a zip', zipWith('flows.csv'), /^a zip archive: unpack it first \(unzip NAME\)/],
        ['an empty zip', Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]), /^a zip archive: /],
        [
            'an Excel workbook',
            zipWith('[Content_Types].xml', '_rels/.rels', 'xl/workbook.xml'),
            /^an Excel workbook \(xlsx\): save each sheet as CSV/,
        ],
        ['an Excel workbook whose sheets come late', zipWith('[Content_Types].xml'), /^an Office document: /],
        ['a Word document', zipWith('[Content_Types].xml', 'word/document.xml'), /^an Office document: /],
        ['an old Excel workbook', begin('d0cf11e0a1b11ae1'), /^an old Excel workbook \(xls\)/],
        ['a 7z', begin('377abcaf271c'), /^a 7z archive: unpack it first \(7z x NAME\)/],
        ['a RAR', begin('526172211a0700'), /^a RAR archive: /],
        ['an xz', begin('fd377a585a00'), /^an xz file: unpack it first \(unxz NAME\); the lake reads gzip and zstd$/],
        ['a bzip2', begin('425a6839314159265359'), /^a bzip2 file: unpack it first \(bunzip2 NAME\)/],
        ['an lz4', begin('04224d18'), /^an lz4 file: /],
    ])('%s is named, with the command that unpacks it', async (_, bytes, message) => {
        expect(await whyNot(bytes)).toMatch(message);
    });

    test('that the tar program writes is known, in each of its forms', async () => {
        for (const format of ['ustar', 'gnu', 'pax', 'v7']) {
            const tar = execFileSync('tar', [
                '--create',
                '--to-stdout',
                `--format=${format}`,
                '-C',
                import.meta.dirname,
                'other-files.test.ts',
            ]);
            expect([format, await whyNot(tar)]).toEqual([format, expect.stringMatching(/^a tar archive: /)]);
        }
    });
});

describe('a binary file', () => {
    test.each([
        [
            'a capture',
            begin('d4c3b2a1'),
            /^a packet capture \(pcap\): the lake reads flows, not packets; make flows of it with zeek -C -r NAME/,
        ],
        ['a capture with nanoseconds', begin('4d3cb2a1'), /^a packet capture \(pcap\): /],
        ['a capture of the other byte order', begin('a1b2c3d4'), /^a packet capture \(pcap\): /],
        ['a capture of the newer form', begin('0a0d0d0a1c0000004d3c2b1a'), /^a packet capture \(pcapng\): /],
        ['a file of nfcapd', begin('0ca50200'), /^a binary file of nfcapd: upload what nfdump -r NAME -o csv prints$/],
        [
            'a file of Argus',
            begin('8310002000000000e5712dcb'),
            /^a binary file of Argus: upload what ra -n -u -c , -s stime,.* -r NAME prints$/,
        ],
        ['a file of SiLK', begin('deadbeef01'), /^a binary file of SiLK: .*rwcut/],
        ['an ORC file', begin('4f52431d0000'), /^an ORC file: export its rows as CSV/],
        ['an Avro file', begin('4f626a01'), /^an Avro file: /],
        ['an Arrow file', begin('4152524f57310000'), /^an Arrow \(Feather\) file: /],
        ['a database', Buffer.from('SQLite format 3\0...'), /^an SQLite database: .*sqlite3 -header -csv NAME/],
        ['a PDF', Buffer.from('%PDF-1.7\n'), /^a PDF document: /],
        ['a picture', begin('89504e470d0a1a0a'), /^an image: /],
        ['another picture', begin('ffd8ffe0'), /^an image: /],
    ])('%s is named, with what makes flows of it', async (_, bytes, message) => {
        expect(await whyNot(bytes)).toMatch(message);
    });
});

describe('text that is no table', () => {
    test.each([
        [
            'UTF-16 with a mark',
            Buffer.concat([Buffer.from('fffe', 'hex'), wide(CSV, 2)]),
            /^text in UTF-16: save it as UTF-8 \(iconv -f UTF-16 -t utf-8 NAME > NEW\)/,
        ],
        ['UTF-16 without a mark', wide(CSV, 2), /^text in UTF-16LE: .*iconv -f UTF-16LE/],
        ['UTF-16 without a mark, big end first', wide(CSV, 2, { isBigEnd: true }), /^text in UTF-16BE: /],
        ['UTF-32 with a mark', Buffer.concat([Buffer.from('fffe0000', 'hex'), wide(CSV, 4)]), /^text in UTF-32: /],
        ['UTF-32 without a mark', wide(CSV, 4, { isBigEnd: true }), /^text in UTF-32BE: /],
        [
            'a log-in page',
            '\r\n<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Sign in &amp;\n continue</title>',
            /^a web page \("Sign in & continue"\): it was saved in place of the file; download the file itself and upload that \(you may have to log in\)$/,
        ],
        ['a page without a title', '<html><body>no</body></html>', /^a web page: /],
        ['a page of XHTML', '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><title>x</title>', /^a web page \("x"\): /],
        [
            'an answer of S3',
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>',
            /^an error answer of S3 \(AccessDenied: Access Denied\): it was saved in place of the file/,
        ],
        [
            'what the AWS CLI said',
            '\nAn error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.\n',
            /^an error message of the AWS CLI \(An error occurred \(NoSuchKey\) .*does not exist\.\): it was saved/,
        ],
        ['an answer of a web server', '404: Not Found', /^an error answer of a web server \(404: Not Found\): /],
        [
            'what the AWS CLI says without a key',
            'Unable to locate credentials. You can configure credentials by running "aws configure".',
            /^an error message of the AWS CLI \(Unable to locate credentials/,
        ],
        ['a page without its beginning', '<h1>Not Found</h1>', /^a web page: /],
        ['an encrypted text', '-----BEGIN PGP MESSAGE-----\n\nhQ', /^an encrypted file: decrypt it first/],
        [
            'another XML document',
            '\ufeff<?xml version="1.0"?><nmaprun>',
            /^an XML document: the lake reads no XML; export the flows as CSV/,
        ],
        ['XML without its first line', '<flows><flow/></flows>', /^an XML document: /],
        [
            'a pointer of Git LFS',
            'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n',
            /^a pointer of Git LFS, not the file itself: .*git lfs pull/,
        ],
        [
            'an email',
            'Return-Path: <a@example.com>\nFrom: A\n <a@example.com>\nSubject: flows\n\nhello',
            /^an email: save what is attached to it/,
        ],
        ['a mailbox', 'From a@example.com Sat Jan  3 01:05:34 2026\nFrom: a@example.com\nTo: b@example.com\n\n', /^an email: /],
    ])('%s is named', async (_, bytes, message) => {
        expect(await whyNot(bytes)).toMatch(message);
    });
});

describe('what may be a file of flows', () => {
    test.each([
        ['a CSV file', CSV],
        ['a CSV file whose first name begins as a magic word does', CSV.replace('Src IP', 'ORCID,FEA1,Src IP')],
        ['a CSV file with blank lines in front', `\n\n${CSV}`],
    ])('%s is taken', async (_, text) => {
        expect(await inspect(text)).toEqual({ is: 'usable' });
    });

    test('but is none is still told by what was looked for', async () => {
        for (const text of ['From,To,Subject,Date\n1,2,3,4\n', 'a<b,c\n', 'PK,x\n', 'version,x\n', 'x\0y\n']) {
            expect(await whyNot(text)).toMatch(/^no usable header: looked for /);
        }
    });
});

describe('a Zeek log', () => {
    const log = (path: string, ...rows: string[]): string =>
        ['#separator \\x09', `#path\t${path}`, '#fields\tts\tid.orig_h\tid.resp_h\tduration\torig_pkts', ...rows, '#close\t2024', ''].join(
            '\n',
        );
    const row = '1714521600.1\t192.0.2.1\t198.51.100.2\t0.5\t1';

    test('of another path than conn is one by right that holds no flows', async () => {
        for (const path of ['dns', 'conn_long', 'open_conn', 'Conn']) {
            expect(await inspect(log(path, row))).toEqual({ is: 'other', what: `Zeek ${path} log` });
        }
        expect(await inspect(log('dns', 'x'.repeat(3 << 20)))).toEqual({ is: 'other', what: 'Zeek dns log' });
    });

    test('of path conn, or without a path, is one of flows; so is one that was put together of several', async () => {
        expect(await inspect(log('conn', row))).toEqual({ is: 'usable' });
        expect(await inspect(log('conn', row).replace('#path\tconn\n', ''))).toEqual({ is: 'usable' });
        expect(await inspect(log('dns', row) + log('conn', row))).toEqual({ is: 'usable' });
    });
});
