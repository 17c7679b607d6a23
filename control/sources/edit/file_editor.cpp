#include "control/sources/edit/file_editor.h"

#include <openssl/evp.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "control/api/http/base64.h"
#include "control/config/layer.h"
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

// As NewFile does, with the mode and, if possible, the group of the old file.
Result<void> replace(const std::string& file, const std::string& text) {
    struct stat old {};
    const bool has_old = ::stat(file.c_str(), &old) == 0;
    NewFile::remove_left(file);
    NewFile draft(file);
    draft.write(text);
    std::string other_group;
    if (has_old && !draft.give_group(old.st_gid)) other_group = std::strerror(errno);
    if (!draft.replace(has_old ? old.st_mode & 0777 : NewFile::kForOwner)) return draft.failure();
    if (!other_group.empty()) spdlog::warn("{} has another group now: {}", file, other_group);
    return {};
}

RpcError refused(std::string why) {
    return {RpcCode::internal_error, std::move(why)};
}

}  // namespace

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

json::array& add_problems(json::array& out, std::string_view level, const std::vector<Error>& all) {
    for (const Error& one : all) {
        out.push_back(json::object{
            {"level", level}, {"file", one.file}, {"line", one.line}, {"text", one.text}});
    }
    return out;
}

Checked check_loaded(const config::LoadOutcome& loaded) {
    Checked out;
    add_problems(out.problems, "warning", loaded.warnings);
    add_problems(out.problems, "error", loaded.errors);
    if (!loaded.ok()) return out;
    build::Registry registry;
    const auto built = judge(loaded.settings, registry);
    add_problems(out.problems, "warning", advice(loaded.settings));
    add_problems(out.problems, "warning", built.warnings);
    add_problems(out.problems, "error", built.errors);
    out.good = built.ok();
    return out;
}

json::object with_text(json::object out, const std::string& text) {
    out["text"] = text;
    if (find_not_utf8(text)) out["base64"] = ops::base64(text);
    return out;
}

std::string write_error(const std::string& file) {
    const std::string folder = std::filesystem::absolute(file).parent_path();
    if (::access(folder.c_str(), W_OK) == 0) return {};
    return "steerdnsd may not write in " + folder + " (" + std::strerror(errno) +
           "): give the folder to its user, and let its unit write there, as "
           "docs/guides/control.md shows";
}

Result<std::string> EditedFile::read() const {
    if (!may_be_missing) {
        auto text = config::Reading::read_text(file);
        if (!text) return Error{file + " cannot be read: " + text.error().text};
        return text;
    }
    auto text = config::read_managed(file);
    if (!text) return Error{file + " cannot be read: " + text.error().text};
    return {boost::system::in_place_value, text->value_or(std::string())};
}

// A change that was written, or why it was not.
struct FileEditor::Change {
    std::string error;  // empty: written
    Checked checked;
    std::string before, after;
    std::uint64_t kept = 0;
};

void FileEditor::change(const EditedFile& file, std::string hash, MakeText text,
                        const RpcDone& done) {
    if (file.folder.empty())
        return done(ops::bad_params(
            "`control.history` is off: give it a folder, so that a change can be taken back"));
    if (std::exchange(is_busy_, true))
        return done(refused("another change of the configuration is under way: try again"));
    aside_.run(
        [file, hash = std::move(hash), text = std::move(text)] {
            Change change;
            auto now = file.read();
            if (!now) {
                change.error = now.error().text;
                return change;
            }
            if (hash_of(*now) != hash) {
                change.error = file.file +
                               " changed since you read it: read it again, and make your change "
                               "in the new text";
                return change;
            }
            auto wanted = text(*now);
            change.error = std::move(wanted.error);
            if (!change.error.empty()) return change;
            change.after = std::move(wanted.text);
            change.before = *std::move(now);
            change.checked = file.check(change.after);
            if (!change.checked.good) return change;
            change.error = write_error(file.file);
            if (!change.error.empty()) return change;
            const auto kept = file.history().keep(change.before);
            if (!kept) {
                change.error =
                    "not changed, since the old text cannot be kept: " + kept.error().sentence();
                return change;
            }
            change.kept = *kept;
            if (const auto written = replace(file.file, change.after); !written)
                change.error = written.error().sentence();
            return change;
        },
        [this, file, done](Change change) {
            if (change.error.empty() && change.checked.good) return reload(file, change, done);
            is_busy_ = false;
            if (!change.error.empty()) return done(refused(change.error));
            done(json::value(json::object{{"applied", false},
                                          {"problems", std::move(change.checked.problems)}}));
        });
}

void FileEditor::reload(const EditedFile& file, const Change& change, const RpcDone& done) {
    reload_(file.what,
            [this, file, change, done, alive = aside_.alive()](const ReloadOutcome& outcome) {
                if (!*alive) return;
                json::object out{{"applied", outcome.errors.empty()},
                                 {"problems", change.checked.problems},
                                 {"generation", outcome.generation},
                                 {"kept", change.kept}};
                if (outcome.errors.empty()) {
                    is_busy_ = false;
                    return done(json::value(std::move(out)));
                }
                add_problems(out["problems"].as_array(), "error", outcome.errors);
                aside_.run(
                    [file, change]() -> std::string {
                        const auto now = file.read();
                        if (now && *now != change.after) return {};  // someone changed it again
                        const auto restored = replace(file.file, change.before);
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

void FileEditor::history(const EditedFile& file, const RpcDone& done) {
    aside_.run([history = file.history()] { return history.versions(); },
               [done](const std::vector<History::Version>& versions) {
                   json::array all;
                   for (const auto& one : versions) {
                       all.push_back(json::object{
                           {"version", one.number}, {"at_s", one.at_s}, {"bytes", one.bytes}});
                   }
                   done(json::value(json::object{{"versions", std::move(all)}}));
               });
}

void FileEditor::version(const EditedFile& file, std::uint64_t number, const RpcDone& done) {
    aside_.run([history = file.history(), number] { return history.text(number); },
               [number, done](const Result<std::string>& text) {
                   if (!text) return done(ops::bad_params(text.error().text));
                   done(json::value(with_text(json::object{{"version", number}}, *text)));
               });
}

}  // namespace steer::edit
