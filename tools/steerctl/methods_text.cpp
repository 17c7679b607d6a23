#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "cells.h"
#include "report.h"
#include "table.h"

namespace json = boost::json;
namespace steerctl {
namespace {

constexpr std::string_view kPageHead = R"(# Methods of the control socket

Use this page to control `steerdnsd` from a program, without `steerctl`. The control socket carries
JSON-RPC 2.0, one object per line, on a UNIX stream socket (`control.socket`, mode 0660):

```sh
echo '{"jsonrpc":"2.0","id":1,"method":"cache.show","params":{"name":"www.example"}}' |
    socat -t 5 - UNIX-CONNECT:/run/steerdns/control.sock
```

Parameters are given by name. The error -32602 names the parameter that is unknown, missing or
invalid. Requests that change something are logged with the user that sent them. `steerctl methods`
lists the methods of the running daemon, and `steerctl methods --markdown` prints this page.
)";

// "always", "with `on`", or "nothing".
std::string changes_text(const json::value* changes) {
    if (changes != nullptr && changes->is_string())
        return "with `" + printable(std::string(changes->get_string())) + "`";
    return changes != nullptr && changes->is_bool() && changes->get_bool() ? "always" : "nothing";
}

}  // namespace

std::string methods_text(const json::value& answer) {
    std::string out;
    for (const json::value& one : array_of(object_of(answer), "methods")) {
        const json::object& method = object_of(one);
        out += text_of(method, "name") + "\n    " + text_of(method, "help") + "\n";
        Table parameters;
        for (const json::value& each : array_of(method, "parameters")) {
            const json::object& p = object_of(each);
            parameters.row({"  " + text_of(p, "name"), text_of(p, "type"),
                            is_true(p, "required") ? "required" : "", text_of(p, "meaning")});
        }
        if (!parameters.empty()) out += parameters.text();
    }
    return out;
}

std::string methods_page(const json::value& answer) {
    std::string out(kPageHead);
    for (const json::value& one : array_of(object_of(answer), "methods")) {
        const json::object& method = object_of(one);
        out += "\n## `" + text_of(method, "name") + "`\n\n" + text_of(method, "help") +
               " Changes: " + changes_text(find(method, "changes")) + ".\n";
        const json::array& parameters = array_of(method, "parameters");
        if (parameters.empty()) continue;
        out += "\n| parameter | type | required | meaning |\n|---|---|---|---|\n";
        for (const json::value& each : parameters) {
            const json::object& p = object_of(each);
            out += "| `" + text_of(p, "name") + "` | " + text_of(p, "type") + " | " +
                   (is_true(p, "required") ? "yes" : "no") + " | " + text_of(p, "meaning") + " |\n";
        }
    }
    return out;
}

}  // namespace steerctl
