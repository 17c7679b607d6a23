#include "control/program/reload/suffix_file.h"

#include <mutex>
#include <utility>

#include "control/host/process/regular_file.h"
#include "matchers/quote.h"
#include "matchers/suffix/suffix_list.h"

namespace steer {
namespace {

// False: it cannot be read.
bool read_suffix_text(const std::string& path, std::string& text) {
    auto content = read_regular(path);
    if (!content || !*content) return false;
    text = **std::move(content);
    return true;
}

}  // namespace

std::vector<Error> take_up_suffix_file(const std::string& path) {
    static std::mutex mutex;
    static std::string in_force;  // the text of the published table
    std::string text;
    if (!read_suffix_text(path, text) || text.empty()) {
        return {
            Error{"the public suffix list cannot be read: the last two labels of a name count "
                  "as its domain, until it was read once; install the package 'publicsuffix', "
                  "and reload",
                  path}};
    }
    const std::lock_guard lock(mutex);
    if (text == in_force) return {};
    auto table = matchers::read_suffix_list(text);
    if (!table) {
        Error why = table.error();
        why.file = path;
        why.text += "; the list before stays in force, reinstall the package 'publicsuffix'";
        return {std::move(why)};
    }
    matchers::PublicSuffixes::publish(std::move(*table));
    in_force = std::move(text);
    return {};
}

std::vector<Error> take_up_suffix_file() {
    return take_up_suffix_file(std::string(matchers::kSuffixListFile));
}

}  // namespace steer
