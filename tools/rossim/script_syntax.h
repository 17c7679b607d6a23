// The part of RouterOS's script language that bulk writers use, parsed from text to statements.
//
// Parsed: commands of the known menus by either path ("/ip/firewall/address-list/add", "/ip
// firewall address-list add"), a line that only names a menu and so precedes the following ones,
// `[find name=value ...]` and other commands in brackets, `:do {} on-error={}`, `:local`,
// `:global`, `:set`, `:put`, "$name" within quotes, and `+ - * .` in parentheses. A script is
// parsed as a whole before any of it runs. A command that the router lacks is an error when the
// script reaches it. An unknown argument is the same since 7.23; before, it is an error of the
// whole text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rossim {

// RouterOS's text, with line and column from 1: "syntax error (line 1 column 6)".
struct ScriptError {
    std::string message;
};

struct Statement;

struct Value {
    enum class Kind { text, variable, call, fold };

    Kind kind = Kind::text;
    std::string text;              // or the name of the variable, or the operators of a fold
    std::vector<Value> operands;   // fold: one more than operators, from left to right
    std::vector<Statement> calls;  // call: one
};

struct Statement {
    enum class Kind { call, put, local, set, guarded, raise };

    Kind kind = Kind::call;
    std::string menu;  // call
    std::string verb;
    int line = 0;
    std::vector<std::pair<std::string, Value>> arguments;
    std::string variable;  // local, set
    Value value;           // put, local, set; raise: the error's text
    std::vector<Statement> body;
    std::vector<Statement> on_error;  // guarded
};

// The parser's access to the router's menus. It calls `has_menu` with a path and all its
// beginnings.
struct ScriptMenus {
    std::function<bool(std::string_view path)> has_menu;
    // Returns an empty string if the router has the command, else the error.
    std::function<std::string(std::string_view path, std::string_view verb)> refusal_of_verb;
    std::function<bool(std::string_view path, std::string_view verb, std::string_view name)>
        has_argument;
    bool refuses_arguments_late = false;
};

// Throws ScriptError.
std::vector<Statement> parse_script(std::string_view text, const ScriptMenus& menus);

}  // namespace rossim
