/** The smaller ones of the files that are as bad as can be (npm run test:extremes has the others), through the built program. */
import { EXTREME_FILES } from '#test/fuzz/extreme-files';
import { uploadExtreme } from '#test/fuzz/upload-extreme';
import { makeFolder } from '#test/support/temporary';

test.each(EXTREME_FILES.filter(({ isSmall }) => isSmall).map((file) => [file.name, file] as const))(
    '%s ends in counted rows or one clear error, in little memory',
    async (_, file) => {
        const { problems } = await uploadExtreme(file, await makeFolder());
        expect(problems).toEqual([]);
    },
    120_000,
);
