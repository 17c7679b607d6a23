// Signing in and out: a password or a link for people, a token for programs.
import { make, notice } from "/dom.js";
import { call, forgetToken, headers, setToken } from "/rpc.js";

const kLink = "#login/";

// Throws an Error with the server's sentence.
async function post(path, body) {
  let response;
  try {
    response = await fetch(path, { method: "POST", headers: { ...headers(), "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("The box does not answer. Check that it is on, and that you are in its network");
  }
  if (!response.ok) throw new Error((await response.text()).trim() || response.statusText);
}

// "set", "none" or "off": whether people sign in with a password.
export async function passwordState() {
  try {
    return (await (await fetch("/login", { headers: headers() })).json()).password;
  } catch {
    return "off";
  }
}

// The link of `steerctl page`, if this page was opened by one. It leaves the address line at once: it is a secret.
export function takeLink() {
  if (!location.hash.startsWith(kLink)) return "";
  const secret = location.hash.slice(kLink.length);
  history.replaceState(null, "", "/");
  return secret;
}

export const signInByLink = (link) => post("/login", { link });

export async function signOut() {
  await post("/logout", {});
  forgetToken();
}

function field(label, name, autocomplete) {
  const input = make("input", { type: "password", name, required: true, autocomplete, size: 40 });
  return { input, row: make("label", {}, label, input) };
}

// A form with one button; `act` may throw.
function form(fields, button, act) {
  const told = make("div", {});
  const submit = make("button", { class: "main" }, button);
  return make("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      submit.disabled = true;
      told.replaceChildren();
      try {
        await act();
      } catch (error) {
        told.replaceChildren(notice(error.message));
        fields[0].input.value = "";
        fields[0].input.focus();
      }
      submit.disabled = false;
    },
  }, fields.map((one) => one.row), submit, told);
}

function tokenForm(done, button) {
  const token = field("Token", "token", "off");
  return form([token], button, () => {
    setToken(token.input.value.trim());
    done();
  });
}

// Fills `place` with what lets a person in, then calls `done`. `reason`: why, as the server says; a token that was refused is
// one, a first visit is none.
export async function askToSignIn(place, reason, done) {
  const state = await passwordState();
  const said = /^sign in/.test(reason) ? null : notice(reason);
  const parts = [make("h2", {}, "Sign in"), said];
  if (state === "set") {
    const password = field("Password", "password", "current-password");
    parts.push(
      form([password], "Sign in", async () => {
        forgetToken();
        await post("/login", { password: password.input.value });
        done();
      }),
      make("p", { class: "quiet" }, "Forgotten? Run ", make("code", {}, "steerctl page"), " on the box: it prints a link that signs you in."),
      make("details", {}, make("summary", {}, "Use a token instead"), tokenForm(done, "Sign in with the token")));
  } else {
    if (state === "none") {
      parts.push(make("p", {}, "No password is set yet. Run ", make("code", {}, "steerctl page"),
        " on the box, and open the link that it prints. You can choose a password then."));
    }
    parts.push(tokenForm(done, "Sign in"), make("p", { class: "quiet" }, "Tokens are for programs; ", make("code", {}, "control.http.tokens"), " of the configuration has them."));
  }
  place.replaceChildren(make("section", { class: "panel sign-in" }, parts.filter(Boolean)));
  place.querySelector("input")?.focus();
}

// After the first link: a password, or later. `done` is called in both cases.
export function askForPassword(place, done) {
  const first = field("New password, at least 8 characters", "new-password", "new-password");
  const again = field("The same again", "again", "new-password");
  place.replaceChildren(make("section", { class: "panel sign-in" },
    make("h2", {}, "Choose a password"),
    make("p", {}, "With it you sign in next time, from any device of your network."),
    form([first, again], "Set the password", async () => {
      if (first.input.value !== again.input.value) throw new Error("The two passwords differ.");
      await call("page.password", { password: first.input.value });
      done();
    }),
    make("button", { onclick: done }, "Later")));
  first.input.focus();
}
