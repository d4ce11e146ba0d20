import { expect, signIn, test, uploadPhoto } from "./support/album";

for (const timezoneId of ["Pacific/Apia", "Pacific/Pago_Pago"]) {
  test.describe(`in a browser in ${timezoneId}`, () => {
    test.use({ timezoneId });

    test("each photo is on its own local day", async ({ page, account, request }) => {
      const take = (name: string, taken_date: string) =>
        uploadPhoto(request, account, { filename_orig: name, taken_date });
      await take("apia.png", "2026-11-01T00:10:00+13:00");
      await take("pago.png", "2026-10-31T23:50:00-11:00");
      await take("unzoned.png", "2026-09-30T23:59:00");
      await page.goto("/#/photos");
      await signIn(page, account);
      for (const [month, photo] of [
        ["November 2026", "apia.png, November 1, 2026"],
        ["October 2026", "pago.png, October 31, 2026"],
        ["September 2026", "unzoned.png, September 30, 2026"],
      ] as const) {
        const section = page
          .locator("section")
          .filter({ has: page.getByRole("heading", { name: month }) });
        await expect(section.getByRole("img", { name: photo, exact: true })).toBeVisible();
      }
    });
  });
}
