/** Reads a sample's files the simple way: split at line ends and commas, a cell by its column's name. */
import { type SampleFile, sampleFiles } from '#sample/flows/sample-files';
import type { SampleOptions } from '#sample/flows/traffic';

export interface SampleRow {
    site: string;
    /** The file's day. */
    day: string;
    line: string;
    cell(column: string): string;
}

export function textOf(file: SampleFile): string {
    return Buffer.concat([...file.chunks]).toString('latin1');
}

export function rowsOf(file: SampleFile): SampleRow[] {
    const [header = '', ...lines] = textOf(file).trimEnd().split('\n');
    const places = new Map(header.split(',').map((column, place) => [column, place]));
    return lines.map((line) => {
        const cells = line.split(',');
        return { site: file.site, day: file.day, line, cell: (column) => cells[places.get(column) ?? -1] ?? `no column ${column}` };
    });
}

export function rowsOfSample(options: Partial<SampleOptions>): SampleRow[] {
    return [...sampleFiles(options)].flatMap(rowsOf);
}

/** `<site> <source> > <destination>`. */
export function pairOf(row: SampleRow): string {
    return `${row.site} ${row.cell('Src IP')} > ${row.cell('Dst IP')}`;
}

/** Second of the day, 0 to 86,399, of `dd/MM/yyyy hh:mm:ss AM`. */
export function secondOf(row: SampleRow): number {
    const [, hour = '', minute, second, half] = /^\d\d\/\d\d\/\d{4} (\d\d):(\d\d):(\d\d) ([AP]M)$/.exec(row.cell('Timestamp')) ?? [];
    return ((Number(hour) % 12) + (half === 'PM' ? 12 : 0)) * 3600 + Number(minute) * 60 + Number(second);
}
