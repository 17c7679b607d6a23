// `completion`: scripts for shells, generated from the commands of the command line. A value of
// type FILE is completed with files, a choice with its words.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands.h"

namespace steerctl {
namespace {

using Words = std::vector<std::string>;

std::string joined(const Words& words, std::string_view between) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : std::string(between)) + word;
    return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands(
        [](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::Option*> options_of(const CLI::App& app, bool positional) {
    return app.get_options([positional](const CLI::Option* option) {
        return option->get_positional() == positional && !option->get_group().empty();
    });
}

Words flag_names(const CLI::Option& option) {
    Words names;
    for (const std::string& name : option.get_snames())
        names.push_back("-" + name);
    for (const std::string& name : option.get_lnames())
        names.push_back("--" + name);
    return names;
}

Words option_names(const CLI::App& app) {
    Words names;
    for (const CLI::Option* const option : options_of(app, false)) {
        for (std::string& name : flag_names(*option))
            names.push_back(std::move(name));
    }
    return names;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

// The words that a value has to be one of: CLI11 says them in its type, as in "TEXT:{on,off}".
Words choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const auto begin = type.find('{');
    const auto end = type.find('}', begin);
    Words choices;
    if (begin == std::string::npos || end == std::string::npos) return choices;
    std::string_view rest = std::string_view(type).substr(begin + 1, end - begin - 1);
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        choices.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return choices;
}

bool is_file(const CLI::Option& option) {
    return option.get_type_name() == "FILE";
}

// ---- bash: one function; `at` is the path of the command so far, as in /cache/flush

struct BashParts {
    std::string commands;   // arms of a case: how `at` goes on
    std::string values;     // how the word behind an option is completed
    std::string words;      // by `at`: commands and options
    std::string positions;  // by `at` and the number of words that are neither
    Words with_value;       // options whose next word is theirs
};

std::string bash_value(const CLI::Option& option) {
    const Words choices = choices_of(option);
    if (!choices.empty()) return "words='" + joined(choices, " ") + "'";
    return is_file(option) ? "files=yes" : ":";
}

void add_bash(const CLI::App& app, const std::string& path, const Words& of_program,
              BashParts& parts) {
    Words commands, options = of_program;
    for (const CLI::App* const command : commands_of(app)) {
        commands.push_back(command->get_name());
        const std::string below = path + "/" + command->get_name();
        parts.commands += "            " + below + ") at=" + below + " place=0 ;;\n";
        add_bash(*command, below, path.empty() ? option_names(app) : of_program, parts);
    }
    for (const CLI::Option* const option : options_of(app, false)) {
        for (const std::string& name : flag_names(*option)) {
            if (std::find(options.begin(), options.end(), name) == options.end())
                options.push_back(name);
            if (!takes_value(*option)) continue;
            // An option of the program may stand behind its commands, too.
            const std::string pattern = path.empty() ? "*/" + name : path + "/" + name;
            parts.with_value.push_back(pattern);
            parts.values +=
                "        " + pattern + ") is_value=yes; " + bash_value(*option) + " ;;\n";
        }
    }
    parts.words += "        '" + path + "') words='" + joined(commands, " ") + "' options='" +
                   joined(options, " ") + "' ;;\n";
    std::size_t place = 0;
    for (const CLI::Option* const option : options_of(app, true))
        parts.positions += "        " + path + ":" + std::to_string(place++) + ") " +
                           bash_value(*option) + " ;;\n";
}

// ---- zsh: a function for each command

// Within '...'.
std::string single_quoted(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out;
}

// Within [...] of _arguments.
std::string description(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
        out += c;
    }
    return single_quoted(out);
}

std::string zsh_value(const CLI::Option& option, std::string_view name) {
    const Words choices = choices_of(option);
    return ":" + std::string(name) + ":" +
           (!choices.empty()  ? "(" + joined(choices, " ") + ")"
            : is_file(option) ? "_files"
                              : "");
}

std::string zsh_options(const CLI::App& app) {
    std::string out;
    for (const CLI::Option* const option : options_of(app, false)) {
        for (const std::string& name : flag_names(*option)) {
            out += "        '" + name + "[" + description(option->get_description()) + "]";
            if (takes_value(*option)) out += zsh_value(*option, "value");
            out += "' \\\n";
        }
    }
    return out;
}

void add_zsh(const CLI::App& app, const std::string& name, const std::string& of_program,
             std::string& out) {
    const auto commands = commands_of(app);
    for (const CLI::App* const command : commands)
        add_zsh(*command, name + "_" + command->get_name(), of_program, out);
    out += name +
           "() {\n    local context state state_descr line\n    typeset -A opt_args\n    "
           "_arguments -C \\\n";
    out += zsh_options(app);
    if (app.get_parent() != nullptr) out += of_program;
    if (commands.empty()) {
        std::size_t place = 0;
        for (const CLI::Option* const option : options_of(app, true)) {
            // (The last one may be a list.)
            const bool is_list = option->get_items_expected_max() > 1;
            out += "        '" + (is_list ? "*" : std::to_string(++place)) +
                   zsh_value(*option, option->get_name(true)) + "' \\\n";
        }
        out += "        && return 0\n}\n\n";
        return;
    }
    out +=
        "        '1:command:->command' \\\n        '*::argument:->argument' && return 0\n    case "
        "$state in\n        command)\n"
        "            local -a commands=(\n";
    for (const CLI::App* const command : commands)
        out += "                '" + command->get_name() + ":" +
               single_quoted(command->get_description()) + "'\n";
    out +=
        "            )\n            _describe -t commands command commands ;;\n        argument)\n "
        "           case $line[1] in\n";
    for (const CLI::App* const command : commands)
        out += "                " + command->get_name() + ") " + name + "_" + command->get_name() +
               " ;;\n";
    out += "            esac ;;\n    esac\n}\n\n";
}

std::string bash_completion(const CLI::App& app) {
    BashParts parts;
    add_bash(app, "", {}, parts);
    const std::string name = app.get_name(), function = "_" + name;
    return "# bash completion of " + name + ", made by '" + name + " completion bash'\n" +
           function + R"(() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local at= place=0 words= options= files= is_value= i word
    # bash makes three words of --option=value.
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $at/$word in
            )" +
           joined(parts.with_value, " | ") + R"()
                if [[ ${COMP_WORDS[i + 1]} == = ]]; then ((i += 2)); else ((i += 1)); fi ;;
            */-*) ;;
)" + parts.commands +
           R"(            *) ((place += 1)) ;;
        esac
    done
    COMPREPLY=()
    case $at/$prev in
)" + parts.values +
           R"(    esac
    if [[ -z $is_value ]]; then
        case $at in
)" + parts.words +
           R"(        esac
        case $at:$place in
)" + parts.positions +
           R"(        esac
        if [[ $cur == -* ]]; then words=$options files=; fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    if [[ -n $files ]]; then
        compopt -o filenames
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$cur")
    fi
}
complete -F )" +
           function + " " + name + "\n";
}

std::string zsh_completion(const CLI::App& app) {
    const std::string name = app.get_name();
    std::string functions;
    add_zsh(app, "_" + name, zsh_options(app), functions);
    return "#compdef " + name + "\n# zsh completion of " + name + ", made by '" + name +
           " completion zsh'\n\n" + functions + "if [[ $funcstack[1] == _" + name + " ]]; then _" +
           name + " \"$@\"; else compdef _" + name + " " + name + "; fi\n";
}

}  // namespace

Run add_completion(CLI::App& command, Options& /*options*/) {
    const auto shell = std::make_shared<std::string>();
    command.add_option("SHELL", *shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
    return [&command, shell] {
        const CLI::App& app = *command.get_parent();
        print(*shell == "bash" ? bash_completion(app) : zsh_completion(app));
        return 0;
    };
}

}  // namespace steerctl
