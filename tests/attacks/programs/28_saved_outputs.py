#: row = 28
#: says = "a notebook whose saved outputs claim an accuracy of 99 %"
#: control = "saved outputs"
#: notebook = true
print("nothing was trained")
