// What is known of a fetched file, beside it as FILE.json: what its server called it, and when it was brought and looked
// for. It holds only for the bytes that it was written for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "matchers/result.h"

namespace steer::fetch {

struct ListFacts {
    std::string url, etag, last_modified;
    std::uint64_t bytes = 0, rules = 0;
    std::uint64_t fetched_s = 0, checked_s = 0;  // seconds since 1970
};

// Nothing: there is no such file, there are no facts, or they are of another file or URL.
std::optional<ListFacts> load_facts(const std::string& file, const std::string& url);
Result<void> save_facts(const std::string& file, const ListFacts& facts);

// A file that is written aside, and takes its place whole or not at all.
class NewFile {
  public:
    // In the folder of `file`, which is made if it is not there.
    static Result<NewFile> beside(const std::string& file);
    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();  // without replace() it is gone

    Result<void> write(const void* bytes, std::size_t size);
    // On the disk, with these rights.
    Result<void> sync(mode_t mode);
    // Renames it over `file`, when it is on the disk; readable by all.
    Result<void> replace(const std::string& file);
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    NewFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
    int fd_;
    std::string path_;
};

// What was renamed in the folder of `file` is on the disk.
void sync_folder_of(const std::string& file);

}  // namespace steer::fetch
