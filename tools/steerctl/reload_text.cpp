#include <boost/json/array.hpp>

#include "cells.h"
#include "report.h"
#include "screen.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::string lines(const json::object& outcome, std::string_view key, std::string_view before) {
    std::string out;
    const auto* const found = find(outcome, key);
    const auto* const all = found != nullptr ? found->if_array() : nullptr;
    if (all == nullptr) return out;
    for (const auto& sentence : *all)
        out += std::string(before) + cell_text(sentence) + "\n";
    return out;
}

}  // namespace

bool is_refused(const json::value& outcome) {
    const auto* const found = find(object_of(outcome), "errors");
    const auto* const errors = found != nullptr ? found->if_array() : nullptr;
    return errors != nullptr && !errors->empty();
}

std::string reload_text(const json::value& outcome) {
    const json::object& all = object_of(outcome);
    const std::string generation = cell_text("", find(all, "generation"));
    return lines(all, "warnings", styled(Style::warning, "warning:") + " ") +
           lines(all, "errors", styled(Style::bad, "error:") + " ") +
           (is_refused(outcome) ? "configuration " + generation + " stays in use\n"
                                : "configuration " + generation + " is active after " +
                                      cell_text("", find(all, "took_ms")) + " ms\n");
}

}  // namespace steerctl
