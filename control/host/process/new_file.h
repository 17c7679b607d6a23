// A file that is written in its folder under a temporary name, and replaces the old file completely or not at all.
//
// Its bytes are on disk before it replaces the old file, so after a power loss there is the old file or the new one.
// After the first error nothing more is done, so one check at the end is enough.
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
                            kForOwner = 0600;  // may read it; the owner may write it

    // Begins the draft of `file`, whose folder must be there: `new-NAME-` and six more characters, for its owner alone.
    explicit NewFile(const std::string& file);
    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();  // a draft that has not taken its place is removed

    bool write(const void* bytes, std::size_t size);
    bool write(std::string_view bytes) { return write(bytes.data(), bytes.size()); }
    // Syncs it to disk, with this mode.
    bool sync(mode_t mode);
    // Replaces the old file by the synced draft.
    bool take_place();
    bool replace(mode_t mode) { return sync(mode) && take_place(); }

    [[nodiscard]] bool good() const { return error_ == 0; }
    // The first error as text; and as a complete sentence.
    [[nodiscard]] std::string why() const;
    [[nodiscard]] Error failure() const;
    // Of the draft.
    [[nodiscard]] const std::string& path() const { return draft_; }

    // Drafts of `file` that a process left when it was killed; those that are being written stay.
    static void remove_left(const std::string& file);

  private:
    bool done(bool well);  // or errno says why not

    std::string file_, draft_;
    Descriptor fd_;  // locked (flock(2)): marks a draft in use
    int error_ = 0;  // errno
};

// Creates the parent folders of `file`. Errors appear when the draft is begun.
void make_folder_of(const std::string& file);
// Syncs the folder of `file`, so that a rename is on disk.
void sync_folder_of(const std::string& file);

}  // namespace steer
