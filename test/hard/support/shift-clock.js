/** Loaded before the program (`node --import`): its clock shows the moment that FLOWLAKE_TEST_CLOCK names, and goes on from there. */
const shiftMs = Date.parse(process.env.FLOWLAKE_TEST_CLOCK) - Date.now();
const RealDate = Date;

globalThis.Date = class extends RealDate {
    constructor(...given) {
        super(...(given.length === 0 ? [RealDate.now() + shiftMs] : given));
    }

    static now() {
        return RealDate.now() + shiftMs;
    }
};
