// Successful answers that report an order as not done.
#include <array>
#include <boost/json/array.hpp>
#include <string>

#include "cells.h"
#include "report.h"

namespace steerctl {
namespace json = boost::json;
namespace {

bool has_error(const std::string& text) {
    return !text.empty() && text != "-";
}

std::string lists_fetched(const json::object& answer) {
    const json::array& all = array_of(answer, "lists");
    std::size_t failed = 0;
    for (const json::value& list : all)
        failed += has_error(text_of(object_of(list), "trouble")) ? 1U : 0U;
    if (failed == 0) return {};
    return std::to_string(failed) + " of " + std::to_string(all.size()) +
           " lists not fetched; their errors are above";
}

// The error about routers for which `good(router)` is false.
template <class Good>
std::string each_router(const json::object& answer, Good good, const std::string& what) {
    std::string names;
    for (const json::value& one : array_of(answer, "routers")) {
        const json::object& router = object_of(one);
        if (!good(router)) names += (names.empty() ? "" : ", ") + text_of(router, "name");
    }
    return names.empty() ? names : what + ": " + names;
}

std::string reconciled(const json::object& answer) {
    return each_router(
        answer, [](const json::object& router) { return is_true(router, "asked"); },
        "rows not read: paused or not in sync");
}

std::string compared(const json::object& answer) {
    return each_router(
        answer, [](const json::object& router) { return text_of(router, "state") == "in_sync"; },
        "differences unknown: not in sync");
}

std::string rules_kept(const json::object& answer) {
    return is_true(answer, "kept") ? std::string()
                                   : "in force, but not kept: " + text_of(answer, "trouble");
}

struct Rule {
    std::string_view method;
    std::string (*undone)(const json::object& answer);
};
constexpr std::array kRules{
    Rule{"lists.fetch", lists_fetched},      Rule{"routers.reconcile", reconciled},
    Rule{"routers.diff", compared},          Rule{"blocking.set", rules_kept},
    Rule{"blocking.pause", rules_kept},      Rule{"blocking.suspend", rules_kept},
    Rule{"blocking.remove", rules_kept},     Rule{"clients.group_add", rules_kept},
    Rule{"clients.group_remove", rules_kept}};

}  // namespace

std::string not_done(std::string_view method, const json::value& answer) {
    for (const Rule& rule : kRules) {
        if (rule.method == method) return rule.undone(object_of(answer));
    }
    return {};
}

std::string drain_text(const json::value& answer) {
    return is_true(object_of(answer), "draining")
               ? "draining: /readyz fails; queries are still answered\n"
               : "not draining\n";
}

}  // namespace steerctl
