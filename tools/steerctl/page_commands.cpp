// Commands about the page: where it is, a link that signs in, the password, and who is signed in.
#include <algorithm>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "commands.h"
#include "routeros/password_input.h"
#include "text_file.h"

namespace steerctl {
namespace json = boost::json;
namespace {

// The first line, without its end.
std::string first_line(std::string text) {
    text.resize(std::min(text.find('\n'), text.size()));
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

int set_password(const Options& options) {
    std::string password;
    if (!options.file.empty()) {
        const auto text = text_of_file(options.file);
        if (!text)
            return misused(options.file + " cannot be read: " + std::string(std::strerror(errno)));
        password = first_line(*text);
    } else {
        const auto typed = steer::routeros::read_password("New password: ");
        const auto again = typed ? steer::routeros::read_password("The same again: ") : typed;
        if (!typed || !again) return misused("the input ended; type the password twice");
        if (*typed != *again) return misused("the two passwords differ; try again");
        password = *typed;
    }
    return show(options, "page.password", page_password_text, json::object{{"password", password}});
}

Run add_password(CLI::App& command, Options& options) {
    command
        .add_option("--file", options.file,
                    "File whose first line is the password; - is standard input")
        ->option_text("FILE");
    return [&options] { return set_password(options); };
}

Run add_sessions(CLI::App& /*command*/, Options& options) {
    return [&options] { return show(options, "page", page_sessions_text); };
}

Run add_logout(CLI::App& command, Options& options) {
    const auto number = std::make_shared<std::uint64_t>(0);
    command.add_option("SESSION", *number, "Number of the session (default: all)");
    return [&options, number] {
        return show(options, "page.logout", page_logout_text,
                    *number == 0 ? json::object() : json::object{{"session", *number}});
    };
}

constexpr Command kPageCommands[] = {
    {"password", "Set the password of the page, and end other sessions", add_password},
    {"sessions", "Show who is signed in to the page", add_sessions},
    {"logout", "End one session of the page, or all", add_logout}};

}  // namespace

Run add_page(CLI::App& command, Options& options) {
    command.require_subcommand(0, 1);
    return [&command, &options, below = add_commands(command, options, kPageCommands)] {
        return command.get_subcommands().empty() ? show(options, "page.link", page_text) : below();
    };
}

}  // namespace steerctl
