#include "control/operator/machine/steps.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "matchers/text.h"

namespace steer::machine {
namespace {

std::string content_of(const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines)
        out += line + "\n";
    return out;
}

// "net/ipv4/x" and "net.ipv4.x" are one key.
std::string plain_key(std::string_view key) {
    std::string out(matchers::trimmed(key));
    if (out.starts_with('-')) out.erase(0, 1);
    std::ranges::replace(out, '/', '.');
    return out;
}

}  // namespace

std::string shell_word(std::string_view text) {
    const bool plain = !text.empty() && std::ranges::all_of(text, [](char c) {
        constexpr std::string_view kPlain = "._-/=:,+@%";
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kPlain.find(c) != kPlain.npos;
    });
    if (plain) return std::string(text);
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

bool has_lines(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines) {
    return subject.read(path) == content_of(lines);
}

Step file_step(const Subject& subject, const std::string& path,
               const std::vector<std::string>& lines) {
    const auto printed = [](const std::string& content) {
        std::string words;
        std::istringstream in(content);
        for (std::string line; std::getline(in, line);)
            words += " " + shell_word(line);
        return "printf '%s\\n'" + words;
    };
    const std::string folder = path.substr(0, path.rfind('/'));
    const std::string to = " > " + shell_word(path);
    const std::string before = subject.read(path);
    return {"mkdir -p " + shell_word(folder) + " && " + printed(content_of(lines)) + to,
            before.empty() ? "rm -f " + shell_word(path) : printed(before) + to};
}

std::string sysctl_path(const std::string& key) {
    std::string path = key;
    std::ranges::replace(path, '.', '/');
    return "/proc/sys/" + path;
}

Step sysctl_step(const Subject& subject, const std::string& key, const std::string& value) {
    std::string before(matchers::trimmed(subject.read(sysctl_path(key))));
    std::ranges::replace(before, '\t', ' ');
    return {"sysctl -qw " + shell_word(key + "=" + value),
            "sysctl -qw " + shell_word(key + "=" + before)};
}

std::string kept_sysctl(const Subject& subject, const std::string& key) {
    // By name over all folders, as sysctl.d(5) says; a name in an earlier folder hides that in a later one.
    constexpr std::array kFolders{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                                  "/usr/lib/sysctl.d", "/lib/sysctl.d"};
    std::map<std::string, std::string> files;  // by name, their folders
    for (const std::string folder : kFolders) {
        for (const std::string& name : subject.names(folder))
            if (name.ends_with(".conf")) files.emplace(name, folder);
    }
    std::string value;
    const auto read_file = [&](const std::string& path) {
        std::istringstream in(subject.read(path));
        for (std::string line; std::getline(in, line);) {
            const auto equals = line.find('=');
            if (line.starts_with('#') || line.starts_with(';') || equals == std::string::npos)
                continue;
            if (plain_key(std::string_view(line).substr(0, equals)) == key)
                value = matchers::trimmed(std::string_view(line).substr(equals + 1));
        }
    };
    for (const auto& [name, folder] : files)
        read_file(folder + "/" + name);
    if (!files.contains("99-sysctl.conf")) read_file("/etc/sysctl.conf");
    return value;
}

std::vector<Step> sysctl_steps(const Subject& subject, const std::string& name,
                               const std::string& key, const std::string& value) {
    std::vector<Step> steps;
    if (matchers::trimmed(subject.read(sysctl_path(key))) != value)
        steps.push_back(sysctl_step(subject, key, value));
    const std::string file = "/etc/sysctl.d/60-steerdns-" + name + ".conf";
    const std::vector<std::string> lines{key + " = " + value};
    // (If the file is there and has no effect, a later file of another program hides it.)
    if (kept_sysctl(subject, key) != value && !has_lines(subject, file, lines))
        steps.push_back(file_step(subject, file, lines));
    return steps;
}

Step write_step(const std::string& path, const std::string& text, const std::string& before) {
    const auto echo = [&](const std::string& what) {
        return "echo " + shell_word(what) + " > " + shell_word(path);
    };
    return {echo(text), echo(before)};
}

}  // namespace steer::machine
