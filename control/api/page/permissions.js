// What this user may do: the role of `rpc.whoami` against the roles that `rpc.discover` names for each method.
import { make, notice } from "/dom.js";
import { call } from "/rpc.js";

const kRoles = ["read", "operate", "admin"];
let known = null;  // a promise: { role, methods }

// Asks again: another token may have another role.
export function learn() {
  known = Promise.all([call("rpc.whoami"), call("rpc.discover")]).then(([{ role }, { methods }]) => ({ role, methods: new Map(methods.map((one) => [one.name, one])) }));
  known.catch(() => { known = null; });
  return known;
}

// Why this user may not call the method; "" if so. `changing`: a call that changes something.
export async function refusal(method, changing = true) {
  const { role, methods } = await (known ?? learn());
  const one = methods.get(method);
  if (!one) return `This steerdnsd has no method ${method}.`;
  const needed = changing ? one["x-changing-role"] : one["x-role"];
  return kRoles.indexOf(role) >= kRoles.indexOf(needed) ? "" : `This needs the role "${needed}", and you have "${role}".`;
}

// Disables what the user may not do, and says why in its title.
export function guard(button, method) {
  refusal(method).then((why) => {
    if (!why) return;
    button.dataset.refused = why;
    button.disabled = true;
    button.title = why;
  }, () => { /* the call says what is wrong */ });
  return button;
}

// A button that calls `act` and shows in `told` what became of it.
export function action(label, method, act, told, kind = "") {
  const button = make("button", {
    class: kind,
    onclick: async () => {
      button.disabled = true;
      try {
        const said = await act();
        told.replaceChildren(notice(typeof said === "string" ? said : `${label}: done`, "done"));
      } catch (error) {
        told.replaceChildren(notice(error.message));
      }
      button.disabled = Boolean(button.dataset.refused);
    },
  }, label);
  return guard(button, method);
}
