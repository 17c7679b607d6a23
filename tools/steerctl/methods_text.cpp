#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <sstream>
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
`rpc.discover` has the same facts as an OpenRPC document. A result is an object with the named
members; those with a question mark are missing in some results. The same methods are served over
HTTP ([control.md](../guides/control.md)).

## Roles

Each method needs a role: `read`, `operate` or `admin`. Each role includes those before it. `roles`
of `control` maps users and groups to roles. Without it, everyone who may open the socket is
`admin`. root and the daemon's user are always `admin`. The error -32001 names the missing role, and
the log has a line.

## Long answers

Each method has a most that it answers in one piece. A longer list comes page by page: `more` is
true, and `cursor` is the parameter for the next page, with the other parameters as before. The last
page has no `cursor`. Append the arrays of all pages; the other members are those of the last page.
An object with `continued` goes on with the last object of the page before: append its arrays to
that one's.

A page is taken at one moment, and the list may change between two pages. An entry that stays comes
exactly once. The error -32002 says that a cursor has lost its place: begin again without one.
`steerctl` asks for all pages, and shows one answer.

## Subscriptions

`subscribe` makes the daemon send notifications to the same session, one object per line. A
notification is lost if the client reads too slowly, or above `rate`. `lost` of the next one says
how many. A session with a subscription has no idle time. Subscriptions end with their session.

| topic | `data` of a notification |
|---|---|
| `events` | one event: `at_ms` (since 1970), `kind`, `level`, `text`, as `events` lists them |
| `counters` | `interval_ms` and `differences`: by how much each number of `counters` grew |
| `queries` | one query |
| `readiness` | `ready`, and `trouble`: the failed conditions of `/readyz`; at each change, and every 500 ms |

`kind` filters events by kind, queries by their end, and counters by the start of their names.
)";

// "always", "with `on`", or "nothing".
std::string changes_text(const json::value* changes) {
    if (changes != nullptr && changes->is_string())
        return "with `" + printable(std::string(changes->get_string())) + "`";
    return changes != nullptr && changes->is_bool() && changes->get_bool() ? "always" : "nothing";
}

// "`read`, with `on` `admin`", or "`read`".
std::string role_text(const json::object& method) {
    const std::string role = "`" + text_of(method, "role") + "`";
    const json::value* const changes = find(method, "changes");
    if (changes == nullptr || !changes->is_string()) return role;
    return "`read`, with `" + printable(std::string(changes->get_string())) + "` " + role;
}

// "Members: `answers`, `more`." in lines of at most 100 bytes. Those that some results lack have a question mark.
std::string members_text(const std::string& members) {
    constexpr std::size_t kWidth = 100;
    std::string out, line = "Members:";
    std::istringstream words(members);
    for (std::string word; words >> word;) {
        const bool is_last = words.peek() == std::istringstream::traits_type::eof();
        const std::string shown = "`" + word + "`" + (is_last ? "." : ",");
        if (line.size() + 1 + shown.size() > kWidth) {
            out += line + "\n";
            line = shown;
        } else {
            line += " " + shown;
        }
    }
    return out + line + "\n";
}

// "In one piece: at most 1000 rows, 4 MiB."
std::string piece_text(const json::object& method) {
    const auto rows = number_of(find(method, "most_rows")).value_or(0);
    return "In one piece: at most " +
           (rows > 0 ? text_of(method, "most_rows") + " rows, " : std::string()) +
           size_text(number_of(find(method, "most_bytes")).value_or(0)) + ".\n";
}

}  // namespace

std::string methods_text(const json::value& answer) {
    std::string out;
    for (const json::value& one : array_of(object_of(answer), "methods")) {
        const json::object& method = object_of(one);
        out += text_of(method, "name") + " (" + text_of(method, "role") + ")\n    " +
               text_of(method, "help") + "\n";
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
               "\n\nChanges: " + changes_text(find(method, "changes")) +
               ". Role: " + role_text(method) + ".\nResult: " + text_of(method, "result") + ".\n" +
               members_text(text_of(method, "members")) + piece_text(method);
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
