/** What whoever registers a device wants made for it. */

/** What a device is to be given. */
export interface Wishes {
    /** Folder for a folder of each device; a certificate is made where it is given. */
    out: string | undefined;
    token: boolean;
    label: string | undefined;
    /** Days that the certificate holds; 0 for as many as there is no reason for others. */
    days: number;
    /** True if programs are to write as the device. */
    program: boolean;
    /** The certificate is a gateway's. */
    gateway: boolean;
}

/** True if anything is to be made. */
export function isWished({ out, token, program }: Wishes): boolean {
    return out !== undefined || token || program;
}
