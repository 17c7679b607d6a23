#include "control/sources/clients/client_state.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>

#include "control/api/rpc/peer.h"
#include "control/host/process/state_file.h"
#include "matchers/safe_text.h"

namespace steer::clients {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxStateBytes = std::size_t{8} << 20;
constexpr mode_t kStateMode = 0640;  // other users need not know who has which device

}  // namespace

std::string state_text(const GivenNames& names) {
    json::object out;
    for (const auto& [key, given] : names)
        out[key] = json::object{{"name", given.name}, {"at", given.at_s}, {"who", given.who}};
    return json::serialize(out) + "\n";
}

Result<GivenNames> load_names(const std::string& file, std::size_t& left_out) {
    left_out = 0;
    const auto all = load_state(file, kMaxStateBytes, "given names of clients are lost");
    if (!all) return all.error();
    GivenNames out;
    for (const auto& [written, value] : *all) {
        const json::object* const row = value.if_object();
        auto key = key_of(std::string_view(written));
        auto name =
            row == nullptr ? Result<std::string>(Error{}) : checked_name(text_at(*row, "name"));
        if (!key || !name || out.size() >= kMaxGivenNames) {
            ++left_out;
            continue;
        }
        const json::value* const at = row->if_contains("at");
        out[*std::move(key)] = {*std::move(name),
                                at != nullptr && at->is_int64() ? at->get_int64() : 0,
                                ops::without_process(safe_text(text_at(*row, "who")))};
    }
    return out;
}

Result<bool> save_names(const std::string& file, const std::string& text, bool is_damaged) {
    std::error_code error;
    if (!std::filesystem::is_directory(std::filesystem::path(file).parent_path(), error))
        return false;
    const auto saved =
        save_state(file, text, {.setting = "leases", .mode = kStateMode, .is_damaged = is_damaged},
                   "the names of clients", "they are lost at the next start");
    if (!saved) return saved.error();
    return true;
}

}  // namespace steer::clients
