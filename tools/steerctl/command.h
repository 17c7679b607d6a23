// The values of the command line, and the common part of most commands: send one request, print its
// answer.
#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "cells.h"
#include "client.h"
#include "output.h"
#include "report.h"
#include "screen.h"

namespace steerctl {

// Help text for `reload` and `lists fetch`.
inline constexpr const char* kAnySizeHelp =
    "Accept lists that lost more rules than `max_shrink` allows";

struct Options {
    std::string socket = "/run/steerdns/control.sock";
    bool as_json = false;
    bool all = false;
    bool markdown = false;                          // of `methods`
    bool any_size = false;                          // of `reload`, `lists fetch`
    std::string name, suffix, tag, instance, file;  // of `cache`
    bool below = false;                             // of `recursion`
    unsigned distrust_seconds = 3600;
    std::string clients, group, note;  // of `block`, `allow`, `unblock`, `pause`
    bool exact = false, legal = false, dry_run = false;
    std::uint64_t rule_seconds = 0;               // 0: not given
    unsigned seconds = 10, top = 20, labels = 0;  // of `hits`
    std::string verb;                             // of `rules`
    std::vector<std::string> rules;
    bool orphans = false, follow = false;  // of `routers`
    bool with_rows = false;                // of `cache flush`
    std::string address;                   // of `routers forget`
    std::string from;                      // of `routers adopt`
    bool apply = false;
    std::string output;   // of `routers probe`
    unsigned number = 0;  // of `configuration`
};

// Prints the answer as text or as JSON. Returns the exit code.
template <class Text>
int show(const Options& options, const char* method, Text text_of,
         const boost::json::value& params = nullptr, std::chrono::seconds patience = kPatience) {
    const Reply reply = ask(options.socket, method, params, patience);
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) {
        print_json(reply.result);
    } else {
        print(text_of(reply.result));
    }
    const std::string undone = not_done(method, reply.result);
    return undone.empty() ? 0 : fail(steer::ErrorCode::incomplete, undone);
}

// The same for a list that may be too long to hold: prints page by page. `list` is the member with
// the rows, the first of the result; the text of all pages is the texts of each.
template <class Text>
int show_pages(const Options& options, const char* method, const char* list, Text text_of,
               const boost::json::value& params, std::chrono::seconds patience) {
    PrintedPages pages(list);
    bool is_first = true;
    const Reply reply =
        ask_pages(options.socket, method, params, patience, [&](boost::json::object&& page) {
            if (options.as_json) return pages.add(page);
            // Rows of a last page may be gone by now.
            if (is_first || !array_of(page, list).empty())
                print(text_of(boost::json::value(std::move(page))));
            is_first = false;
        });
    if (!reply.error.empty()) return fail(reply);
    if (options.as_json) pages.end();
    return 0;
}

}  // namespace steerctl
