// A file that is written under a temporary name in its folder, and replaces the old file completely
// or not at all.
//
// Its bytes are on disk before it replaces the old file. So after a power loss, the old file or the
// new one exists. After the first error it does nothing more, so one check at the end is enough.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer {

class NewFile {
  public:
    static constexpr mode_t kForAll = 0644,
                            kForOwner = 0600;  // readers; the owner may also write

    // Begins the draft of `file`: `new-NAME-` and six more characters, for its owner only. The
    // folder must exist.
    explicit NewFile(const std::string& file);
    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();  // removes a draft that did not replace the file

    bool write(const void* bytes, std::size_t size);
    bool write(std::string_view bytes) { return write(bytes.data(), bytes.size()); }
    // Gives the draft to this group. False: it keeps its own; no error of the draft. See errno.
    bool give_group(gid_t group);
    // Syncs the draft to disk, with this mode.
    bool sync(mode_t mode);
    // Replaces the old file by the synced draft.
    bool take_place();
    bool replace(mode_t mode) { return sync(mode) && take_place(); }

    [[nodiscard]] bool good() const { return error_ == 0; }
    // The first error as text, and as a complete sentence.
    [[nodiscard]] std::string why() const;
    [[nodiscard]] Error failure() const;
    // The path of the draft.
    [[nodiscard]] const std::string& path() const { return draft_; }

    // Removes drafts of `file` that a killed process left; drafts in use stay.
    static void remove_left(const std::string& file);

  private:
    bool done(bool well);  // false: sets the error from errno

    std::string file_, draft_;
    Descriptor fd_;  // locked (flock(2)): marks a draft in use
    int error_ = 0;  // errno
};

// Creates a folder that only its owner may use, and its parents. One that is there stays as it is.
void make_private_folder(const std::string& folder);

// The end of the name of a file that was damaged, and was put aside.
inline constexpr std::string_view kDamagedEnd = ".damaged";

// Creates the parent folders of `file`. Errors are reported when the draft is begun.
void make_folder_of(const std::string& file);
// Renames a damaged file to FILE.damaged, over an older one. The clause of a sentence that says so; if
// it could not be renamed, why. Empty: there is no such file.
std::string keep_damaged(const std::string& file);
// Syncs the folder of `file`, so that a rename is on disk.
void sync_folder_of(const std::string& file);

}  // namespace steer
