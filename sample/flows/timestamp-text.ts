/** A clock that shows a second of a day as CICFlowMeter writes it: `dd/MM/yyyy hh:mm:ss AM`, local time of the probe. */
export class TimestampText {
    readonly bytes: Uint8Array;
    private second = 0;

    constructor(day: string) {
        const [year, month, date] = day.split('-');
        this.bytes = Uint8Array.from(Buffer.from(`${date}/${month}/${year} 12:00:00 AM`));
    }

    /** Sets `bytes` to this second of the day, 0 <= second < 86,400. */
    show(second: number): void {
        if (second === this.second) {
            return;
        }
        this.second = second;
        const hour = Math.floor(second / 3600);
        this.putTwoDigits(11, hour % 12 === 0 ? 12 : hour % 12);
        this.putTwoDigits(14, Math.floor(second / 60) % 60);
        this.putTwoDigits(17, second % 60);
        this.bytes[20] = hour < 12 ? 65 : 80; // A, P
    }

    private putTwoDigits(at: number, value: number): void {
        this.bytes[at] = 48 + Math.floor(value / 10);
        this.bytes[at + 1] = 48 + (value % 10);
    }
}
