/**
 * Tells what a file is that is no file of flows, by its first plain bytes, and what to do with it. JSON and Parquet are not among them: flows are
 * written in these too.
 */
import type { Unusable } from './format.ts';

/** This many of the first plain bytes tell what a file is; fewer where the file is shorter. */
export const TELLING_BYTES = 1 << 14;

/** A sort of file, as people say it with its article, and what to do with one. NAME stands for the file's name. */
interface Sort {
    what: string;
    todo: string;
    /** What it says of itself. */
    detail?: string;
    /** True if it lies beside files of flows by right. */
    isOther?: boolean;
}

/**
 * Names the file that begins with these bytes and says what to do with it; undefined where it may be text with separators, JSON or Parquet, or where
 * nothing is known of it.
 */
export function otherFileOf(firstBytes: Buffer): Unusable | undefined {
    const bytes = firstBytes.subarray(0, TELLING_BYTES);
    const text = bytes.toString('latin1');
    const sort = magicOf(text) ?? zipOf(bytes, text) ?? tarOf(bytes) ?? argusOf(bytes) ?? wideTextOf(bytes) ?? textOf(text);
    if (sort?.isOther === true) {
        return { ok: false, error: sort.what, isOther: true };
    }
    return sort && { ok: false, error: `${sort.what}${sort.detail ? ` (${sort.detail})` : ''}: ${sort.todo}`, what: sort.what };
}

const UNPACK_AND_UPLOAD = 'then upload the files';
const TO_FLOWS = 'zeek -C -r NAME and upload conn.log, or with CICFlowMeter';
const MAKE_FLOWS = `the lake reads flows, not packets; make flows of it with ${TO_FLOWS}`;
const EXPORT = 'export its rows as CSV and upload that';
const SAVE_AS_CSV = 'save each sheet as CSV (UTF-8) and upload that';
const UNPACK_OUTER = 'unpack it once (gunzip NAME, or unzstd NAME) and upload what comes out';
const NO_DATA = 'upload the data that it shows, as CSV';

interface Magic extends Sort {
    /** What the file may begin with, each byte as one character. */
    begins: readonly string[];
    /** What must stand further on. */
    further?: { at: number; oneOf: readonly string[] };
    /** True if text may begin so too: a byte 0 must follow. */
    isBinary?: boolean;
}

const MAGIC: readonly Magic[] = [
    // One layer of gzip or zstd is unpacked before anybody looks: this is the second one.
    { begins: ['\x1f\x8b'], what: 'a gzip file inside of a compressed one', todo: UNPACK_OUTER },
    { begins: ['\x28\xb5\x2f\xfd'], what: 'a zstd file inside of a compressed one', todo: UNPACK_OUTER },
    { begins: ['BZh'], further: { at: 4, oneOf: ['1AY&SY'] }, ...packed('a bzip2', 'bunzip2') },
    { begins: ['\xfd7zXZ\0'], ...packed('an xz', 'unxz') },
    { begins: ['\x04\x22\x4d\x18', '\x02\x21\x4c\x18'], ...packed('an lz4', 'unlz4') },
    { begins: ['LZIP\0', 'LZIP\x01'], ...packed('an lzip', 'lzip -d') },
    { begins: ['\x1f\x9d'], ...packed('a compress', 'uncompress') },
    { begins: ['\xff\x06\0\0sNaPpY'], ...packed('a Snappy', 'snzip -d') },
    { begins: ['7z\xbc\xaf\x27\x1c'], what: 'a 7z archive', todo: `unpack it first (7z x NAME), ${UNPACK_AND_UPLOAD}` },
    { begins: ['Rar!\x1a\x07'], what: 'a RAR archive', todo: `unpack it first (unrar x NAME), ${UNPACK_AND_UPLOAD}` },
    // https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html: either byte order, microseconds or nanoseconds.
    {
        begins: ['\xa1\xb2\xc3\xd4', '\xd4\xc3\xb2\xa1', '\xa1\xb2\x3c\x4d', '\x4d\x3c\xb2\xa1'],
        what: 'a packet capture (pcap)',
        todo: MAKE_FLOWS,
    },
    {
        begins: ['\n\r\r\n'],
        further: { at: 8, oneOf: ['\x1a\x2b\x3c\x4d', '\x4d\x3c\x2b\x1a'] },
        what: 'a packet capture (pcapng)',
        todo: MAKE_FLOWS,
    },
    {
        begins: ['\x0c\xa5\x01\0', '\x0c\xa5\x02\0', '\xa5\x0c\0\x01', '\xa5\x0c\0\x02'],
        what: 'a binary file of nfcapd',
        todo: 'upload what nfdump -r NAME -o csv prints',
    },
    {
        begins: ['\xde\xad\xbe\xef'],
        what: 'a binary file of SiLK',
        todo: 'upload what rwcut --fields=sIP,dIP,sTime,duration,packets --delimited NAME prints',
    },
    { begins: ['ORC'], isBinary: true, what: 'an ORC file', todo: EXPORT },
    { begins: ['Obj\x01'], what: 'an Avro file', todo: EXPORT },
    { begins: ['ARROW1\0\0', 'FEA1\0'], what: 'an Arrow (Feather) file', todo: EXPORT },
    {
        begins: ['SQLite format 3\0'],
        what: 'an SQLite database',
        todo: 'export its table as CSV (sqlite3 -header -csv NAME "select * from TABLE") and upload that',
    },
    { begins: ['\x89HDF\r\n\x1a\n'], what: 'an HDF5 file', todo: EXPORT },
    { begins: ['\x93NUMPY'], what: 'a NumPy file', todo: EXPORT },
    {
        begins: ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'],
        what: 'an old Excel workbook (xls) or other old Office file',
        todo: SAVE_AS_CSV,
    },
    {
        begins: ['-----BEGIN PGP MESSAGE', 'age-encryption.org/', 'Salted__'],
        what: 'an encrypted file',
        todo: 'decrypt it first and upload what comes out',
    },
    { begins: ['%PDF-'], what: 'a PDF document', todo: NO_DATA },
    { begins: ['\x89PNG\r\n', '\xff\xd8\xff', 'GIF87a', 'GIF89a', 'II*\0', 'MM\0*'], what: 'an image', todo: NO_DATA },
    { begins: ['RIFF'], further: { at: 8, oneOf: ['WEBP'] }, what: 'an image', todo: NO_DATA },
];

function magicOf(text: string): Sort | undefined {
    return MAGIC.find(
        ({ begins, further, isBinary = false }) =>
            begins.some((start) => text.startsWith(start)) &&
            (further === undefined || further.oneOf.some((bytes) => text.startsWith(bytes, further.at))) &&
            (!isBinary || text.includes('\0')),
    );
}

function packed(name: string, command: string): Sort {
    return { what: `${name} file`, todo: `unpack it first (${command} NAME); the lake reads gzip and zstd` };
}

const ZIP_ENTRY = 'PK\x03\x04';

/** A zip archive, or one of the documents that are one. PKWARE's APPNOTE.TXT, 4.3.7: the name of an entry is 30 bytes behind its signature. */
function zipOf(bytes: Buffer, text: string): Sort | undefined {
    if (!text.startsWith(ZIP_ENTRY) && !text.startsWith('PK\x05\x06')) {
        return undefined;
    }
    const names: string[] = [];
    for (let at = text.indexOf(ZIP_ENTRY); at >= 0 && at + 30 <= bytes.length; at = text.indexOf(ZIP_ENTRY, at + 4)) {
        names.push(text.slice(at + 30, at + 30 + bytes.readUInt16LE(at + 26)));
    }
    if (names.some((name) => name.startsWith('xl/'))) {
        return { what: 'an Excel workbook (xlsx)', todo: SAVE_AS_CSV };
    }
    if (text.includes('application/vnd.oasis.opendocument.spreadsheet')) {
        return { what: 'an OpenDocument spreadsheet (ods)', todo: SAVE_AS_CSV };
    }
    const isOffice =
        names.some((name) => /^(word\/|ppt\/|\[Content_Types\]\.xml$)/.test(name)) || text.includes('application/vnd.oasis.opendocument');
    return isOffice
        ? { what: 'an Office document', todo: NO_DATA }
        : { what: 'a zip archive', todo: `unpack it first (unzip NAME), ${UNPACK_AND_UPLOAD}` };
}

const TAR_BLOCK_BYTES = 512;
const TAR_SUM = { start: 148, end: 156 };

/** A tar archive of any age: POSIX, pax, section "ustar Interchange Format", whose checksum the older forms have too. */
function tarOf(bytes: Buffer): Sort | undefined {
    const written = /^ *([0-7]+)(?![0-9])/.exec(bytes.toString('latin1', TAR_SUM.start, TAR_SUM.end))?.[1];
    if (bytes.length < TAR_BLOCK_BYTES || written === undefined) {
        return undefined;
    }
    // The checksum's own bytes count as blanks.
    const sum = bytes
        .subarray(0, TAR_BLOCK_BYTES)
        .reduce((total, byte, at) => total + (at >= TAR_SUM.start && at < TAR_SUM.end ? 0x20 : byte), 0);
    return sum === Number.parseInt(written, 8)
        ? { what: 'a tar archive', todo: `unpack it first (tar xf NAME), ${UNPACK_AND_UPLOAD}` }
        : undefined;
}

/** What the first record of an Argus file holds, of its versions 2, 3 and 5. */
const ARGUS_COOKIES = ['e5617acb', 'e5712dcb', 'e57150cb'];
const ARGUS_FIRST_RECORD_BYTES = 128;

function argusOf(bytes: Buffer): Sort | undefined {
    const record = bytes.subarray(0, ARGUS_FIRST_RECORD_BYTES);
    const isManagementRecord = ((record[0] ?? 0) & 0xf0) === 0x80;
    return isManagementRecord && ARGUS_COOKIES.some((cookie) => record.includes(Buffer.from(cookie, 'hex')))
        ? {
              what: 'a binary file of Argus',
              todo: 'upload what ra -n -u -c , -s stime,ltime,dur,proto,saddr,sport,dir,daddr,dport,spkts,dpkts -r NAME prints',
          }
        : undefined;
}

/** Text whose characters have two bytes or four, with a mark or (of ASCII) without. */
function wideTextOf(bytes: Buffer): Sort | undefined {
    const mark = bytes.toString('hex', 0, 4);
    if (mark === 'fffe0000' || mark === '0000feff') {
        return wideText('UTF-32');
    }
    if (mark.startsWith('fffe') || mark.startsWith('feff')) {
        return wideText('UTF-16');
    }
    const start = bytes.subarray(0, Math.min(64, bytes.length & ~3));
    const isZeroAt = (...places: number[]): boolean =>
        start.length >= 8 && start.every((byte, at) => (byte === 0) === places.includes(at & 3));
    const encoding = [
        { name: 'UTF-16LE', zeros: [1, 3] },
        { name: 'UTF-16BE', zeros: [0, 2] },
        { name: 'UTF-32LE', zeros: [1, 2, 3] },
        { name: 'UTF-32BE', zeros: [0, 1, 2] },
    ].find(({ zeros }) => isZeroAt(...zeros));
    return encoding && wideText(encoding.name);
}

function wideText(encoding: string): Sort {
    return { what: `text in ${encoding}`, todo: `save it as UTF-8 (iconv -f ${encoding} -t utf-8 NAME > NEW) and upload that` };
}

const DOWNLOAD_AGAIN = 'it was saved in place of the file; download the file itself and upload that';

/** What the AWS CLI says in its first or second line. */
const AWS_CLI_ERROR =
    /^(?:[^\n]{0,200}\n)?[^\n]{0,200}?(An error occurred \(\w+\) when calling the \w+ operation[^\n]{0,120}|Unable to locate credentials[^\n]{0,120})/;

/** Text of another language than rows of cells. */
function textOf(whole: string): Sort | undefined {
    const text = whole.replace(/^\xef\xbb\xbf/, '').trimStart();
    if (text.startsWith('version https://git-lfs.github.com/spec/')) {
        return { what: 'a pointer of Git LFS, not the file itself', todo: 'get the file with git lfs pull and upload that' };
    }
    if (/^(?:\.\.\/)*(?:\.git)?\/?annex\/objects\//.test(text)) {
        return { what: 'a pointer of git-annex, not the file itself', todo: 'get the file with git annex get NAME and upload that' };
    }
    if (/^Date (first seen|flow start) {2,}[A-Z]/.test(text)) {
        return { what: 'nfdump’s lines for people (-o line, long, extended)', todo: 'upload what nfdump -r FILE -o csv prints' };
    }
    if (text.startsWith('>== Total === ')) {
        return { what: 'Zeek conn-summary', todo: 'upload conn.log', isOther: true };
    }
    if (/^=+\r?\n[\w/ ]+ Conversations\r?\n/.test(text)) {
        return {
            what: 'a table of conversations for people (tshark -z conv)',
            todo: `it has no dates; make flows of the capture itself with ${TO_FLOWS}`,
        };
    }
    const [, called] = AWS_CLI_ERROR.exec(text) ?? [];
    if (called !== undefined) {
        return { what: 'an error message of the AWS CLI', detail: shown(called), todo: DOWNLOAD_AGAIN };
    }
    const [, answer] = /^([45]\d\d:? [A-Z][A-Za-z ]{2,40})\s*$/.exec(text) ?? [];
    if (answer !== undefined) {
        return { what: 'an error answer of a web server', detail: shown(answer), todo: DOWNLOAD_AGAIN };
    }
    if (
        /^<(?:!--|!doctype html|(?:html|head|body|title|meta|h1|h2|p|pre|div|center|script)[\s>])/i.test(text) ||
        /^<[\s\S]{0,200}<html[\s>]/i.test(text)
    ) {
        const title = shown(/<title[^>]*>([^<]*)/i.exec(text)?.[1] ?? '');
        const detail = title === '' ? {} : { detail: `"${title}"` };
        return { what: 'a web page', ...detail, todo: `${DOWNLOAD_AGAIN} (you may have to log in)` };
    }
    const [, error] = /^(?:<\?xml[^>]*>\s*)?<Error>([\s\S]*)/.exec(text) ?? [];
    if (error !== undefined && /<Code>/.test(error)) {
        const [code, message] = ['Code', 'Message'].map((tag) => new RegExp(`<${tag}>([^<]*)`).exec(error)?.[1] ?? '');
        return { what: 'an error answer of S3', detail: shown(`${code}: ${message}`), todo: DOWNLOAD_AGAIN };
    }
    if (/^<(?:\?xml\b|[A-Za-z_][\w.:-]*[\s/>])/.test(text)) {
        return { what: 'an XML document', todo: 'the lake reads no XML; export the flows as CSV and upload that' };
    }
    return isEmail(text) ? { what: 'an email', todo: 'save what is attached to it and upload that' } : undefined;
}

/** True if the text begins with the header fields of a message, RFC 5322, 3.6, or with the line that stands in front of them in a mailbox. */
function isEmail(text: string): boolean {
    const header = text.replace(/^From \S+ [^\n]*\n/, '').split(/\r?\n\r?\n/, 1)[0] ?? '';
    const lines = header.split(/\r?\n/).slice(0, 20);
    const names = lines.flatMap((line) => /^([A-Za-z][A-Za-z-]*): /.exec(line)?.[1]?.toLowerCase() ?? []);
    const areFields = lines.every((line) => /^(?:[A-Za-z][A-Za-z0-9-]*:|[ \t])/.test(line));
    const known = ['from', 'to', 'subject', 'date', 'received', 'return-path', 'message-id', 'mime-version', 'delivered-to'];
    return areFields && known.filter((name) => names.includes(name)).length >= 2;
}

/** Characters of a file that are shown of it. */
const MOST_SHOWN = 120;

/** A piece of the file in one short line: it may be UTF-8, and hold the entities that titles have. */
function shown(text: string): string {
    const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' };
    const decoded = Buffer.from(text, 'latin1')
        .toString('utf8')
        .replace(/&(#39|[a-z]+);/g, (entity, name) => entities[name] ?? entity);
    const line = decoded.replace(/\s+/g, ' ').trim();
    return line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line;
}
