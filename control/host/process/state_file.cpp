#include "control/host/process/state_file.h"

#include <boost/json/parse.hpp>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/host/process/new_file.h"
#include "control/host/process/regular_file.h"
#include "matchers/quote.h"

namespace steer {
namespace json = boost::json;

Result<json::object> load_state(const std::string& file, std::size_t most_bytes,
                                std::string_view loss) {
    const auto text = read_regular(file, most_bytes);
    if (!text)
        return Error{file + " cannot be read (" + text.error().text + "): it is ignored, " +
                     std::string(loss) + "; remove it, or give it to the daemon's user"};
    if (!*text) return json::object{};
    boost::system::error_code error;
    json::value all = json::parse(**text, error);
    if (error || !all.is_object())
        return Error{file + " is damaged: it is ignored, " + std::string(loss) +
                     ", and it is written again"};
    return std::move(all.get_object());
}

Result<json::object> load_or_keep(const std::string& file, std::size_t most_bytes,
                                  std::string_view loss) {
    auto kept = load_state(file, most_bytes, loss);
    if (kept) return kept;
    const std::string aside = keep_damaged(file);
    return Error{kept.error().sentence() + (aside.empty() ? "" : "; " + aside)};
}

Result<void> save_state(const std::string& file, const std::string& text, const StateFile& how,
                        std::string_view what, std::string_view loss) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (!fs::is_directory(fs::path(file).parent_path(), ignored)) return {};
    std::error_code error;
    if (how.is_damaged)
        fs::copy_file(file, file + ".damaged", fs::copy_options::overwrite_existing, error);
    if (error && error != std::errc::no_such_file_or_directory)
        return Error{matchers::quoted(file + ".damaged") + " cannot be written (" +
                     error.message() + "): " + std::string(loss) + "; move " +
                     matchers::quoted(file) + " to another place"};
    NewFile::remove_left(file);
    NewFile out(file);
    out.write(text);
    if (out.replace(how.mode)) return {};
    return Error{std::string(what) + " cannot be kept in " + file + " (" + out.why() +
                 "): " + std::string(loss) +
                 "; free some space and make its folder writable, or name another as '" +
                 std::string(how.setting) + "' of '" + std::string(how.section) + "'"};
}

std::string_view text_at(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    const json::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string_view{} : std::string_view(*text);
}

bool is_true_at(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

}  // namespace steer
