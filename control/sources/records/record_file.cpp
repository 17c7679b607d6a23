#include "control/sources/records/record_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/config/reading.h"
#include "control/host/process/new_file.h"
#include "matchers/yaml_scalar.h"

namespace steer::records {
namespace {

constexpr int kMaxWriters = 16;  // that come in between

// Nothing: there is no such file.
Result<std::optional<std::string>> content(const std::string& file) {
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) return std::optional<std::string>{};
    auto bytes = config::Reading::read_text(file);
    if (!bytes) return Error{file + " cannot be read: " + bytes.error().text};
    return {boost::system::in_place_value, std::optional<std::string>(*std::move(bytes))};
}

std::size_t size_of(const config::RecordBook& book) {
    std::size_t all = 0;
    for (const auto& part : book.parts)
        all += part.records.size();
    return all;
}

}  // namespace

std::string text_of(const config::RecordBook& book) {
    std::string out =
        "# Records of `steerctl static`, in front of those of the `static` plugins with these "
        "tags.\n# steerctl rewrites this file and drops comments: use `comment`.\n";
    for (const auto& part : book.parts) {
        if (part.records.empty()) continue;
        out += yaml_scalar(part.tag) + ":\n";
        for (const config::RecordFields& record : part.records) {
            out += "  - {";
            for (const auto& [key, value] : record)
                out +=
                    (&key == &record.front().first ? "" : ", ") + key + ": " + yaml_scalar(value);
            out += "}\n";
        }
    }
    return out;
}

Result<void> apply(const Change& change, config::RecordBook& book) {
    auto part = std::ranges::find(book.parts, change.tag, &config::RecordBook::Part::tag);
    if (part == book.parts.end()) part = book.parts.insert(part, {change.tag, {}});
    for (const config::RecordFields& fields : change.remove) {
        const auto at = std::ranges::find(part->records, fields);
        if (at == part->records.end())
            return Error{
                "the file of runtime records has changed: look at it with 'steerctl static "
                "print', and try again"};
        part->records.erase(at);
    }
    if (!change.add) return {};
    if (size_of(book) >= kMaxRecords)
        return Error{"there are " + std::to_string(kMaxRecords) +
                     " runtime records already: remove some, or move them to the configuration"};
    part->records.push_back(*change.add);
    return {};
}

Result<Written> change_file(const std::string& file, const Change& change) {
    for (int i = 0; i < kMaxWriters; ++i) {
        auto before = content(file);
        if (!before) return std::move(before).error();
        auto book = config::parse_record_book(file, before->value_or(""));
        if (!book)
            return Error{"the file of runtime records has an error, and was not changed: " +
                         book.error().sentence()};
        if (auto done = apply(change, *book); !done) return std::move(done).error();
        Written out{*std::move(before), text_of(*book)};
        make_folder_of(file);
        NewFile draft(file);
        draft.write(out.after);
        if (!draft.sync(NewFile::kForAll)) return draft.failure();
        // Another process may have written it since.
        const auto now = content(file);
        if (!now) return now.error();
        if (*now != out.before) continue;
        if (!draft.take_place()) return draft.failure();
        return out;
    }
    return Error{file + " is being written by another process: try again"};
}

Result<void> restore_file(const std::string& file, const Written& written) {
    const auto now = content(file);
    if (!now) return now.error();
    if (*now != written.after) return {};
    if (!written.before) {
        std::error_code error;
        std::filesystem::remove(file, error);
        return error ? Result<void>(Error{file + " cannot be removed: " + error.message()})
                     : Result<void>();
    }
    NewFile draft(file);
    draft.write(*written.before);
    if (!draft.replace(NewFile::kForAll)) return draft.failure();
    return {};
}

}  // namespace steer::records
