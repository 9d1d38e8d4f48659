/** A tar archive with one file in it, in the form that all tar programs have written since 1979: without a magic word. */
export function tarOf(content: string, { name = 'flows.csv' }: { name?: string } = {}): Buffer {
    const header = Buffer.alloc(512);
    const octal = (value: number, at: number, digits: number): void => {
        header.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
    };
    header.write(name, 0, 'latin1');
    octal(0o644, 100, 7);
    octal(0, 108, 7);
    octal(0, 116, 7);
    octal(content.length, 124, 11);
    octal(1_700_000_000, 136, 11);
    header.fill(' ', 148, 156);
    octal(
        header.reduce((sum, byte) => sum + byte, 0),
        148,
        6,
    );
    const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
    body.write(content, 0, 'latin1');
    return Buffer.concat([header, body, Buffer.alloc(1024)]);
}
