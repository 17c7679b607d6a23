#include "control/operator/doctor/finding.h"

#include <algorithm>

#include "control/operator/setup/steps.h"

namespace steer::doctor {
namespace {

// Unquoted where a terminal needs no quotes.
std::string value_text(const std::string& value) {
    const bool is_plain = !value.empty() && std::ranges::all_of(value, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-_.:/,*!").find(c) != std::string_view::npos;
    });
    return is_plain ? value : setup::literal(value);
}

}  // namespace

std::string Change::text() const {
    std::string text(form->menu);
    if (text.starts_with("/ip*"))
        text.replace(0, 4, family == routeros::Menu::ip ? "/ip" : "/ipv6");
    std::replace(text.begin() + 1, text.end(), '/', ' ');
    text.append(" ").append(form->command);
    for (const auto& [name, value] : arguments) {
        if (name == ".id" || name == "numbers")
            text += " " + value;
        else if (name.starts_with('!'))
            text += " " + name;  // not set
        else
            text += " " + name + "=" + value_text(value);
    }
    return text;
}

routeros::Command Change::command() const {
    routeros::Command command(*form, family);
    for (const auto& [name, value] : arguments)
        command.attribute(name, value);
    return command;
}

}  // namespace steer::doctor
