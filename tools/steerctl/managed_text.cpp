#include <boost/json/array.hpp>

#include "cells.h"
#include "report.h"
#include "screen.h"

namespace steerctl {
namespace json = boost::json;

std::string managed_diff_text(const json::value& answer) {
    std::string out;
    for (const json::value& one : array_of(object_of(answer), "diff")) {
        const json::object& line = object_of(one);
        const std::string kind = text_of(line, "kind"), text = kind + text_of(line, "text");
        out += kind == "+"   ? styled(Style::good, text)
               : kind == "-" ? styled(Style::bad, text)
                             : text;
        out += "\n";
    }
    return out + configuration_problems_text(answer);
}

}  // namespace steerctl
