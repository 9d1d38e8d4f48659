/** The object store on S3 keeps its promises on a local AWS. */
import { describeS3Store } from '#test/support/s3-store-contract';

describeS3Store();
