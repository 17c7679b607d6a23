#include "control/sources/edit/edit_service.h"

#include <openssl/evp.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "control/api/http/base64.h"
#include "control/config/load.h"
#include "control/config/reading.h"
#include "control/host/process/new_file.h"
#include "control/program/reload/judge.h"
#include "matchers/utf8.h"

namespace steer::edit {
namespace json = boost::json;

using ops::RpcCode;
using ops::RpcDone;
using ops::RpcError;

namespace {

std::string hash_of(std::string_view text) {
    std::array<unsigned char, 32> digest;
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    std::string out;
    for (const unsigned char byte : digest) {
        constexpr char kDigits[] = "0123456789abcdef";
        out += {kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return out;
}

json::array& add(json::array& out, std::string_view level, const std::vector<Error>& all) {
    for (const Error& one : all) {
        out.push_back(json::object{
            {"level", level}, {"file", one.file}, {"line", one.line}, {"text", one.text}});
    }
    return out;
}

// All that `--check` says of this text.
struct Checked {
    bool good = false;
    json::array problems;
};
Checked check_text(const ConfigSource& source, const std::string& text) {
    Checked out;
    const auto loaded = source.load_text(text);
    add(out.problems, "warning", loaded.warnings);
    add(out.problems, "error", loaded.errors);
    if (!loaded.ok()) return out;
    build::Registry registry;
    const auto built = judge(loaded.settings, registry);
    add(out.problems, "warning", advice(loaded.settings));
    add(out.problems, "warning", built.warnings);
    add(out.problems, "error", built.errors);
    out.good = built.ok();
    return out;
}

// Why this process cannot replace the file; empty: it can.
std::string write_error(const std::string& file) {
    const std::string folder = std::filesystem::absolute(file).parent_path();
    if (::access(folder.c_str(), W_OK) == 0) return {};
    return "steerdnsd may not write in " + folder + " (" + std::strerror(errno) +
           "): give the folder to its user, and let its unit write there, as "
           "docs/guides/control.md shows";
}

// As NewFile does, with the mode and, if possible, the group of the old file.
Result<void> replace(const std::string& file, const std::string& text) {
    struct stat old {};
    const bool has_old = ::stat(file.c_str(), &old) == 0;
    NewFile draft(file);
    draft.write(text);
    if (!draft.replace(has_old ? old.st_mode & 0777 : NewFile::kForOwner)) return draft.failure();
    if (has_old && ::chown(file.c_str(), static_cast<uid_t>(-1), old.st_gid) != 0)
        spdlog::warn("{} has another group now: {}", file, std::strerror(errno));
    return {};
}

// JSON has no other bytes than UTF-8: then `base64` has those of the text.
json::object with_text(json::object out, const std::string& text) {
    out["text"] = text;
    if (find_not_utf8(text)) out["base64"] = ops::base64(text);
    return out;
}

RpcError refused(std::string why) {
    return {RpcCode::internal_error, std::move(why)};
}

}  // namespace

// A change that was written, or why it was not.
struct EditService::Change {
    std::string error;  // empty: written
    Checked checked;
    std::string before, after;
    std::uint64_t kept = 0;
};

EditService::EditService(boost::asio::io_context& main_io, ConfigSource source, Reload reload)
    : source_(std::move(source)), reload_(std::move(reload)), aside_(main_io, "configuration") {}

void EditService::follow(const config::Settings& settings) {
    folder_ = settings.control.history;
}

void EditService::show(const RpcDone& done) {
    aside_.run(
        [file = source_.path, can_keep = !folder_.empty()]() -> ops::RpcResult {
            const auto text = config::Reading::read_text(file);
            if (!text) return refused(file + " cannot be read: " + text.error().text);
            const auto wrong = find_not_utf8(*text);
            const std::string error =
                !can_keep ? "`control.history` is off: changes are not kept, so none is taken"
                : wrong   ? file + ":" + std::to_string(wrong->line) + ": " + wrong->text() +
                              ": save the file as UTF-8 before you change it here"
                        : write_error(file);
            return json::value(with_text(json::object{{"file", file},
                                                      {"hash", hash_of(*text)},
                                                      {"bytes", text->size()},
                                                      {"trouble", error}},
                                         *text));
        },
        done);
}

void EditService::check(const std::string& text, const RpcDone& done) {
    aside_.run([source = source_, text] { return check_text(source, text); },
               [done](Checked checked) {
                   done(json::value(json::object{{"good", checked.good},
                                                 {"problems", std::move(checked.problems)}}));
               });
}

void EditService::apply(std::string hash, std::function<Text()> text, const RpcDone& done) {
    if (folder_.empty())
        return done(ops::bad_params(
            "`control.history` is off: give it a folder, so that a change can be taken back"));
    if (std::exchange(is_busy_, true))
        return done(refused("another change of the configuration is under way: try again"));
    aside_.run(
        [source = source_, history = History(folder_), hash = std::move(hash),
         text = std::move(text)] {
            Change change;
            auto wanted = text();
            change.error = std::move(wanted.error);
            if (!change.error.empty()) return change;
            change.after = std::move(wanted.text);
            auto now = config::Reading::read_text(source.path);
            if (!now) {
                change.error = source.path + " cannot be read: " + now.error().text;
            } else if (hash_of(*now) != hash) {
                change.error = source.path +
                               " changed since you read it: read it again, and make your change "
                               "in the new text";
            } else {
                change.before = *std::move(now);
                change.checked = check_text(source, change.after);
                if (!change.checked.good) return change;
                change.error = write_error(source.path);
            }
            if (!change.error.empty()) return change;
            const auto kept = history.keep(change.before);
            if (!kept) {
                change.error =
                    "not changed, since the old text cannot be kept: " + kept.error().sentence();
                return change;
            }
            change.kept = *kept;
            if (const auto written = replace(source.path, change.after); !written)
                change.error = written.error().sentence();
            return change;
        },
        [this, done](Change change) {
            if (change.error.empty() && change.checked.good) return reload(change, done);
            is_busy_ = false;
            if (!change.error.empty()) return done(refused(change.error));
            done(json::value(json::object{{"applied", false},
                                          {"problems", std::move(change.checked.problems)}}));
        });
}

void EditService::reload(const Change& change, const RpcDone& done) {
    reload_("a changed configuration",
            [this, change, done, alive = aside_.alive()](const ReloadOutcome& outcome) {
                if (!*alive) return;
                json::object out{{"applied", outcome.errors.empty()},
                                 {"problems", change.checked.problems},
                                 {"generation", outcome.generation},
                                 {"kept", change.kept}};
                if (outcome.errors.empty()) {
                    is_busy_ = false;
                    return done(json::value(std::move(out)));
                }
                add(out["problems"].as_array(), "error", outcome.errors);
                aside_.run(
                    [file = source_.path, change]() -> std::string {
                        const auto now = config::Reading::read_text(file);
                        if (now && *now != change.after) return {};  // someone changed it again
                        const auto restored = replace(file, change.before);
                        return restored ? std::string() : restored.error().sentence();
                    },
                    [this, out = std::move(out), kept = change.kept,
                     done](const std::string& error) mutable {
                        is_busy_ = false;
                        if (!error.empty())
                            return done(refused(
                                "the reload refused the new text, and the file still has it (" +
                                error + "): its old text is version " + std::to_string(kept)));
                        done(json::value(std::move(out)));
                    });
            });
}

void EditService::history(const RpcDone& done) {
    aside_.run([history = History(folder_)] { return history.versions(); },
               [done](const std::vector<History::Version>& versions) {
                   json::array all;
                   for (const auto& one : versions) {
                       all.push_back(json::object{
                           {"version", one.number}, {"at_s", one.at_s}, {"bytes", one.bytes}});
                   }
                   done(json::value(json::object{{"versions", std::move(all)}}));
               });
}

void EditService::version(std::uint64_t number, const RpcDone& done) {
    aside_.run([history = History(folder_), number] { return history.text(number); },
               [number, done](const Result<std::string>& text) {
                   if (!text) return done(ops::bad_params(text.error().text));
                   done(json::value(with_text(json::object{{"version", number}}, *text)));
               });
}

void EditService::add_methods(ops::Methods& methods) {
    using ops::Changes;
    using ops::ParamType;
    constexpr ops::Parameter kText{"text", ParamType::text, "the whole configuration, as YAML",
                                   true};
    constexpr ops::Parameter kHash{
        "hash", ParamType::text,
        "`hash` of configuration.show: a file that changed since then stays as it is", true};
    constexpr ops::Parameter kVersion{"version", ParamType::number,
                                      "the number of a version, from configuration.history", true,
                                      1};
    methods.add({.name = "configuration.show",
                 .help = "Shows the configuration's file, with its passwords.",
                 .changes = Changes::nothing(),
                 .role = AccessRole::admin,
                 .run = [this](const ops::Arguments&, const RpcDone& done) { show(done); },
                 .members = "file text base64? bytes hash trouble",
                 .result =
                     "the file, its text (`base64` if it is not UTF-8) and `hash`; `trouble`: no "
                     "writing"});
    methods.add({.name = "configuration.check",
                 .help = "Lists the errors and warnings of a configuration, as --check does.",
                 .changes = Changes::nothing(),
                 .role = AccessRole::admin,
                 .parameters = {kText},
                 .run = [this](const ops::Arguments& asked,
                               const RpcDone& done) { check(asked.text("text"), done); },
                 .members = "good problems",
                 .result = "`good`, and the problems with level, file and line"});
    methods.add({.name = "configuration.apply",
                 .help = "Replaces the configuration's file and reloads; keeps the old text.",
                 .changes = Changes::always(),
                 .role = AccessRole::admin,
                 .parameters = {kText, kHash},
                 .run =
                     [this](const ops::Arguments& asked, const RpcDone& done) {
                         apply(
                             asked.text("hash"),
                             [text = asked.text("text")] {
                                 return Text{text, {}};
                             },
                             done);
                     },
                 .members = "applied problems generation? kept?",
                 .result = "`applied`, the problems, the generation, and the version that keeps "
                           "the old text (`kept`)"});
    methods.add({.name = "configuration.history",
                 .help = "Lists the earlier texts of the configuration that are kept.",
                 .changes = Changes::nothing(),
                 .role = AccessRole::admin,
                 .run = [this](const ops::Arguments&, const RpcDone& done) { history(done); },
                 .members = "versions",
                 .result = "version, time and size of each, the newest first"});
    methods.add({.name = "configuration.version",
                 .help = "Shows an earlier text of the configuration, with its passwords.",
                 .changes = Changes::nothing(),
                 .role = AccessRole::admin,
                 .parameters = {kVersion},
                 .run = [this](const ops::Arguments& asked,
                               const RpcDone& done) { version(asked.number("version", 0), done); },
                 .members = "version text base64?",
                 .result = "the text; `base64` has the bytes of one that is not UTF-8"});
    methods.add(
        {.name = "configuration.rollback",
         .help = "Gives the configuration an earlier text and reloads.",
         .changes = Changes::always(),
         .role = AccessRole::admin,
         .parameters = {kVersion, kHash},
         .run =
             [this](const ops::Arguments& asked, const RpcDone& done) {
                 apply(
                     asked.text("hash"),
                     [history = History(folder_), number = asked.number("version", 0)] {
                         auto text = history.text(number);
                         return text ? Text{*std::move(text), {}} : Text{{}, text.error().text};
                     },
                     done);
             },
         .members = "applied problems generation? kept?",
         .result = "as configuration.apply"});
}

}  // namespace steer::edit
